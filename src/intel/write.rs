//! A pack as it lies on disk: indented by two spaces, and each line of its table on a line of the file.

use std::io::{self, Write};

use super::pack::Pack;

/// Writes a pack.
///
/// # Errors
/// The writer's.
pub fn pack(pack: &Pack, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&pack.without_table())?;
    if pack.packages.is_empty() {
        return writeln!(out, "{text}");
    }
    let body = text.strip_suffix("\n}").unwrap_or(&text);
    writeln!(out, "{body},\n  \"packages\": [")?;
    let last = pack.packages.len() - 1;
    for (at, row) in pack.packages.iter().enumerate() {
        out.write_all(b"    ")?;
        serde_json::to_writer(&mut *out, row)?;
        out.write_all(if at < last { b",\n" } else { b"\n" })?;
    }
    writeln!(out, "  ]\n}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::load;
    use crate::intel::table::{Row, Versions, Weight};

    #[test]
    fn what_is_written_is_read_alike() {
        let mut one = load::built_in().unwrap().remove(0).pack;
        for rows in 0..3 {
            let row = |at: usize| Row::new(&format!("evil-{at}"), "MAL-1", None, Versions::All, Weight::Probable);
            one.packages = (0..rows).map(row).collect();
            let mut text = Vec::new();
            pack(&one, &mut text).unwrap();
            let again = load::parse("x", &text).unwrap();
            assert_eq!(again.packages.len(), rows);
            let (left, right) = (serde_json::to_value(&again).unwrap(), serde_json::to_value(&one).unwrap());
            assert_eq!(left, right);
        }
    }
}
