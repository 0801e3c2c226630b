//! Event streams: the first bytes say where the rest is cut; any division must give the same events.
#![no_main]

use driftlead_gate::sse::Reader;
use libfuzzer_sys::fuzz_target;

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(Vec<u8>, Vec<u8>)>, bool) {
    let mut reader = Reader::new();
    let mut events = Vec::new();
    for piece in pieces {
        reader.feed(piece, |e| events.push((e.name.to_vec(), e.data.to_vec())));
    }
    (events, reader.at_boundary())
}

fuzz_target!(|input: &[u8]| {
    let (cuts, stream) = input.split_at(input.len().min(4));
    let mut pieces = Vec::new();
    let mut rest = stream;
    for &cut in cuts {
        let (head, tail) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    let whole = read([stream]);
    assert_eq!(read(pieces), whole);
    assert_eq!(read(stream.chunks(1)), whole);
});
