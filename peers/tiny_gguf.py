"""Writes a model of random weights that a real server can load: tiny_gguf.py OUT

Two layers, 320 tokens, half a megabyte. What it says is noise, control characters included: enough to see whether
a server's bytes pass. The same bytes at every run.
"""

import sys

import gguf
import numpy

VOCABULARY, WIDTH, LAYERS, HEADS, INNER, CONTEXT = 320, 64, 2, 4, 128, 512
SPREAD = 0.05
WORDS = (
    "hear the a of and to in it is was that for on with as at by be this have from or one had not but what all were when"
    " we there can an your which their said if do will each about how up out them then she many some so these would"
    " other into"
).split()
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"


def vocabulary():
    """Tokens, scores and types: three marks, all bytes, and pieces of words."""
    kind = gguf.TokenType
    pieces = [f"\u2581{word}" for word in WORDS] + [".", "\u2581", "e"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + pieces
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * 256 + [kind.NORMAL] * len(pieces)
    scores = [0.0] * 3 + [-1000.0] * 256 + [-float(place) for place in range(len(pieces))]
    missing = VOCABULARY - len(tokens)
    tokens += [f"\u2581x{number}" for number in range(missing)]
    types += [kind.NORMAL] * missing
    scores += [-100.0 - number for number in range(missing)]
    return tokens, scores, types


def main(out):
    random = numpy.random.default_rng(1)
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    tokens, scores, types = vocabulary()
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)

    def weights(name, *shape):
        writer.add_tensor(name, random.normal(0, SPREAD, shape).astype(numpy.float32))

    def norm(name):
        writer.add_tensor(name, numpy.ones(WIDTH, dtype=numpy.float32))

    weights("token_embd.weight", VOCABULARY, WIDTH)
    weights("output.weight", VOCABULARY, WIDTH)
    norm("output_norm.weight")
    for layer in range(LAYERS):
        norm(f"blk.{layer}.attn_norm.weight")
        norm(f"blk.{layer}.ffn_norm.weight")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(f"blk.{layer}.{part}.weight", WIDTH, WIDTH)
        weights(f"blk.{layer}.ffn_gate.weight", INNER, WIDTH)
        weights(f"blk.{layer}.ffn_up.weight", INNER, WIDTH)
        weights(f"blk.{layer}.ffn_down.weight", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
