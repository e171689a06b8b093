//! Tables of comma-separated values with a head line.
//!
//! Each line is a row by itself: in a list of indicators, a quote that is never closed would otherwise make one value of
//! all that follows, and nobody would miss those rows. A cell with a line break in it leaves a rest that is told as a row
//! that cannot be used.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder};

use super::fault;
use super::gather::{At, Gather};
use super::text::{Allowance, LONGEST_LINE, shown, utf8};
use crate::model::fault::Fault;

/// One row, in the order in which the columns were asked for.
pub(super) struct Row<'a> {
    /// Counted from 1.
    pub line: usize,
    cells: Vec<Cow<'a, str>>,
}

impl Row<'_> {
    /// The cell of the column that was asked for at this place.
    pub(super) fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", |cell| cell.trim())
    }
}

/// The names in a line that may be the head of a table.
pub(super) fn head(line: &str) -> Vec<String> {
    cells(line).iter().map(|cell| cell.trim().to_ascii_lowercase()).collect()
}

/// Reads a table whose head has all of `columns`, of which the first `needed` must not be empty in a row. What a row has
/// beyond its head belongs to its last column: a comma that should have been quoted.
pub(super) fn read(
    origin: &str,
    bytes: &[u8],
    (columns, needed): (&[&str], usize),
    into: &mut Gather,
    mut each: impl FnMut(&mut Gather, &Row<'_>),
) -> Result<(), Fault> {
    let text = utf8(origin, bytes)?;
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let (first, number) = lines.next().unwrap_or(("", 1));
    let names = head(first.get(..LONGEST_LINE).unwrap_or(first));
    let mut places = Vec::new();
    for column in columns {
        let place = names.iter().position(|name| name == column).ok_or_else(|| {
            let why = format!("the table has no column `{column}`: its first line must be `{}`", columns.join(","));
            fault(origin, Some((number, 1)), why)
        })?;
        places.push(place);
    }
    for stray in names.iter().filter(|name| !columns.contains(&name.as_str())) {
        let at = At { origin, line: Some(number), record: "" };
        into.unused(at, format!("the column `{}` is not read", shown(stray)));
    }
    let mut allowance = Allowance::of(origin);
    for (line, number) in lines {
        allowance.take(number)?;
        let at = At { origin, line: Some(number), record: "" };
        if line.len() > LONGEST_LINE {
            into.record(None);
            into.unused(at, "the row is longer than 64 KiB");
            continue;
        }
        let all = cells(line);
        let cell = |place: usize| match all.get(place..) {
            Some(rest) if place + 1 == names.len() => Cow::Owned(rest.join(",")),
            Some([first, ..]) => Cow::Borrowed(first.as_str()),
            _ => Cow::Borrowed(""),
        };
        let row = Row { line: number, cells: places.iter().map(|place| cell(*place)).collect() };
        match columns.iter().take(needed).enumerate().find(|(place, _)| row.cell(*place).is_empty()) {
            Some((_, column)) => {
                into.record(None);
                into.unused(at, format!("the row `{}` has no `{column}`", shown(line.trim())));
            }
            None => each(into, &row),
        }
    }
    Ok(())
}

/// The cells of one line. Most have no quotes, and then commas are all there is to it.
fn cells(line: &str) -> Vec<String> {
    if !line.contains('"') {
        return line.split(',').map(str::to_owned).collect();
    }
    let mut record = ByteRecord::new();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len() + 1)
        .from_reader(line.as_bytes());
    // Reading from memory cannot fail, and of ragged rows nobody complains.
    match reader.read_byte_record(&mut record) {
        Ok(true) => record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(),
        Ok(false) | Err(_) => vec![line.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> (Vec<String>, Vec<String>) {
        let (mut all, mut into) = (Vec::new(), Gather::default());
        read("f", text.as_bytes(), (&["name", "kind"], 1), &mut into, |_, row| {
            all.push(format!("{} {}|{}", row.line, row.cell(0), row.cell(1)));
        })
        .unwrap();
        let label = crate::intel::import::testing::label();
        let notes = into.finish(&label).map_or_else(|notes| notes, |made| made.notes);
        (all, notes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn cells_are_found_by_the_names_of_columns() {
        let (all, notes) = rows("\n Kind ,NAME\r\n\r\nx,\"a, \"\"b\"\"\"\r\ny,c,d\n,e");
        assert_eq!(all, ["4 a, \"b\"|x", "5 c,d|y", "6 e|"]);
        assert!(notes.is_empty());
    }

    #[test]
    fn an_open_quote_takes_its_own_line_only() {
        let (all, notes) = rows("name,kind,more\na,\"x\nb,y\nc,\"two\nlines\"\n,z");
        assert_eq!(all, ["2 a|x", "3 b|y", "4 c|two", "5 lines\"|"]);
        assert_eq!(notes.len(), 2, "{notes:?}");
    }

    #[test]
    fn another_head_is_a_fault() {
        for text in ["", "name\na", "kind;name", "\"name,kind\n"] {
            let why =
                read("f", text.as_bytes(), (&["name", "kind"], 1), &mut Gather::default(), |_, _| {}).unwrap_err();
            assert!(why.why.contains("its first line must be `name,kind`"), "{why:?}");
        }
    }
}
