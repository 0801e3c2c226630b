"""Writes a synthetic ChatGPT export of N messages, for timing readers.

The same N gives the same bytes. Usage: python make_export.py N FILE.json
"""

import json
import random
import sys

WORDS = (
    "the dough rests for an hour and then it goes into the oven while shelf board paint "
    "chain fern map lamp window soup garden recipe yarn drill compost canvas edge corner"
).split()
PER_CONVERSATION = 40
START = 1_700_000_000
GAP = 6 * 3600


def node(index, parent, children, message):
    return {"id": f"n{index}", "message": message, "parent": parent, "children": children}


def conversation(number, luck):
    """One conversation: a root without a message, then turns in alternation."""
    created = START + number * GAP
    mapping = {"n0": node(0, None, ["n1"], None)}
    for index in range(1, PER_CONVERSATION + 1):
        is_person = index % 2 == 1
        words = luck.choices(WORDS, k=20 if is_person else 120)
        message = {
            "id": f"m{number}-{index}",
            "author": {"role": "user" if is_person else "assistant", "metadata": {}},
            "create_time": created + 30.0 * index,
            "content": {"content_type": "text", "parts": [" ".join(words) + "."]},
            "status": "finished_successfully",
            "weight": 1.0,
            "metadata": {} if is_person else {"model_slug": "example-1"},
            "recipient": "all",
        }
        below = [] if index == PER_CONVERSATION else [f"n{index + 1}"]
        mapping[f"n{index}"] = node(index, f"n{index - 1}", below, message)
    return {
        "title": f"conversation {number}",
        "create_time": float(created),
        "update_time": float(created + 3600),
        "mapping": mapping,
        "current_node": f"n{PER_CONVERSATION}",
        "conversation_id": f"c{number}",
        "id": f"c{number}",
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    conversations = max(1, int(sys.argv[1]) // PER_CONVERSATION)
    luck = random.Random(1)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("[")
        for number in range(conversations):
            out.write(",\n" if number else "")
            json.dump(conversation(number, luck), out)
        out.write("]")


if __name__ == "__main__":
    main()
