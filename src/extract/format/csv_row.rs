//! One row of the CSV dialect that RECORD uses: fields split at commas, quoted ones with doubled quotes.

/// Splits a row. A quote that never ends takes the rest of the row.
#[must_use]
pub fn fields(row: &[u8]) -> Vec<Vec<u8>> {
    let mut out = vec![Vec::new()];
    let mut quoted = false;
    let mut bytes = row.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                push(&mut out, b'"');
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => out.push(Vec::new()),
            other => push(&mut out, other),
        }
    }
    out
}

fn push(out: &mut [Vec<u8>], byte: u8) {
    if let Some(field) = out.last_mut() {
        field.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(fields(b"\"a,\"\"b\",sha256=x,3"), [b"a,\"b".to_vec(), b"sha256=x".to_vec(), b"3".to_vec()]);
        assert_eq!(fields(b"x,,"), [b"x".to_vec(), Vec::new(), Vec::new()]);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(one in "[a-z,\"/ ]{0,20}", two in "[a-z,\"/ ]{0,20}") {
            let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let row = format!("{},{}", quote(&one), quote(&two));
            prop_assert_eq!(fields(row.as_bytes()), [one.into_bytes(), two.into_bytes()]);
        }
    }
}
