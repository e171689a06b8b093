//! What a parsed report no longer shows: the order of its keys, and its bytes.

/// The keys of the outermost object with the text of their values, in the order of the file.
pub(crate) fn top_level(text: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    let (mut key, mut string_start, mut value_start) = (None, 0, None);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_string = false;
                    if depth == 1 && value_start.is_none() {
                        key = Some(&text[string_start..at]);
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => {
                in_string = true;
                string_start = at + 1;
            }
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 && value_start.is_none() => value_start = Some(at + 1),
            b',' if depth == 1 => out.extend(pair(text, key.take(), value_start.take(), at)),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    out.extend(pair(text, key.take(), value_start.take(), at));
                }
            }
            _ => {}
        }
    }
    out
}

fn pair<'t>(text: &'t str, key: Option<&'t str>, start: Option<usize>, end: usize) -> Option<(&'t str, &'t str)> {
    Some((key?, text[start?..end].trim()))
}

/// Where two texts part, with a little of both around it.
pub(crate) fn parting(one: &str, other: &str) -> String {
    let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    format!("{} and {}", near(one, at), near(other, at))
}

/// The first place of `part`, with a little of the text around it.
pub(crate) fn around(text: &str, part: &str) -> String {
    text.find(part).map(|at| near(text, at)).unwrap_or_default()
}

fn near(text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let part = &bytes[at.saturating_sub(60).min(bytes.len())..(at + 60).min(bytes.len())];
    format!("…{}…", String::from_utf8_lossy(part))
}
