#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| driftlead_record::fuzz::source(bytes));
