//! Names and versions as people write them: `NAME`, `NAME==VERSION`, and lines of a requirements file.

/// A package that somebody asks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// As written.
    pub(super) name: String,
    /// The pinned version; none for a bare name or a range.
    pub(super) version: Option<String>,
    /// The line of the file, counted from 1.
    pub(super) line: Option<usize>,
}

/// What a requirements file says.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Requirements {
    /// The packages it names.
    pub(super) asked: Vec<Asked>,
    /// Lines that name none, with the reason.
    pub(super) unread: Vec<(usize, &'static str)>,
}

/// Reads `NAME[extra]==VERSION ; marker`; none when it begins with no name. A range or an exclusion pins nothing.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Asked> {
    let text = text.split(" #").next().unwrap_or_default();
    let text = text.split(';').next().unwrap_or_default().trim();
    let end = text.find(|at: char| !(at.is_ascii_alphanumeric() || "-_.".contains(at))).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if !name.starts_with(|at: char| at.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1.trim_start(),
        None => rest,
    };
    let starts = ["==", "!=", "<", ">", "~=", "@", "(", "--hash"];
    let known = rest.is_empty() || starts.iter().any(|start| rest.starts_with(start));
    known.then(|| Asked { name: name.to_owned(), version: pinned(rest), line: None })
}

/// The version of `==V` or `===V`, alone or with other conditions; `==1.*` pins nothing.
fn pinned(rest: &str) -> Option<String> {
    let rest = rest.trim_matches(['(', ')']);
    rest.split(',').find_map(|one| {
        let version = one.trim().strip_prefix("==")?.trim_start_matches('=').trim();
        let version = version.split_whitespace().next()?;
        (!version.ends_with('*')).then(|| version.to_owned())
    })
}

/// Reads a requirements file: continued lines, comments, options, hashes.
#[must_use]
pub(super) fn parse_file(text: &str) -> Requirements {
    let mut out = Requirements::default();
    let mut logical = String::new();
    let mut begun = 1;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}'], "\n");
    for (number, line) in text.lines().enumerate() {
        if logical.is_empty() {
            begun = number + 1;
        }
        let is_comment = line.trim_start().starts_with('#') || line.contains(" #");
        if let (Some(head), false) = (line.trim_end().strip_suffix('\\'), is_comment) {
            logical.push_str(head);
            logical.push(' ');
            continue;
        }
        logical.push_str(line);
        take(&mut out, begun, logical.trim());
        logical.clear();
    }
    take(&mut out, begun, logical.trim());
    out
}

/// A path or URL of a wheel names the package by its file name: `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`.
fn wheel(text: &str) -> Option<Asked> {
    let path = text.split([' ', '#', '?', ';']).find(|part| part.ends_with(".whl"))?;
    let mut fields = path.rsplit(['/', '\\']).next()?.split('-');
    let (name, version) = (fields.next()?, fields.next()?);
    fields.next()?;
    Some(Asked { name: name.to_owned(), version: Some(version.to_owned()), line: None })
}

fn take(out: &mut Requirements, line: usize, text: &str) {
    if text.is_empty() || text.starts_with('#') {
        return;
    }
    if text.starts_with('-') {
        let includes = ["-r", "--requirement", "-c", "--constraint", "-e", "--editable"];
        if includes.iter().any(|option| text.starts_with(option)) {
            out.unread.push((line, "names another file or a source tree, which this version does not follow"));
        }
        return;
    }
    match wheel(text).or_else(|| parse(text)) {
        Some(asked) => out.asked.push(Asked { line: Some(line), ..asked }),
        None => out.unread.push((line, "is no NAME==VERSION")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(text: &str) -> Option<(String, Option<String>)> {
        parse(text).map(|asked| (asked.name, asked.version))
    }

    fn is(text: &str, name: &str, version: Option<&str>) {
        assert_eq!(both(text), Some((name.to_owned(), version.map(str::to_owned))), "{text}");
    }

    #[test]
    fn pins_are_told_from_ranges() {
        is("litellm==1.82.7", "litellm", Some("1.82.7"));
        is("LiteLLM[proxy] == 1.82.7 ; python_version > '3.8'", "LiteLLM", Some("1.82.7"));
        is("litellm===1.82.7 --hash=sha256:ab", "litellm", Some("1.82.7"));
        is("litellm!=1.82.7", "litellm", None);
        is("litellm>=1,!=1.82.7", "litellm", None);
        is("litellm==1.82.*", "litellm", None);
        is("litellm", "litellm", None);
        is("litellm @ https://example.org/x.whl", "litellm", None);
        assert_eq!(both("==1.0"), None);
        assert_eq!(both("two words"), None);
        assert_eq!(both("litellm=1.82.7"), None);
        assert_eq!(both("/path/x.whl"), None);
    }

    #[test]
    fn files_have_continued_lines_comments_and_options() {
        let out = parse_file(
            "# c\nrequests==2.0 \\\n  --hash=sha256:ab\n\n--index-url https://x\n-r more.txt\nlitellm==1.82.7 # why\n./x.whl\n",
        );
        let names: Vec<_> = out.asked.iter().map(|one| (one.name.as_str(), one.line.unwrap())).collect();
        assert_eq!(names, [("requests", 2), ("litellm", 7)]);
        let odd = parse_file("# c \\\nlitellm==1.82.7\rsix==1\n./y/litellm-1.82.8-py3-none-any.whl\n");
        let pins: Vec<_> = odd.asked.iter().filter_map(|one| one.version.as_deref()).collect();
        assert_eq!(pins, ["1.82.7", "1", "1.82.8"]);
        let lines: Vec<usize> = out.unread.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [6, 8]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,100}") {
            if let Some(asked) = parse(&text) {
                prop_assert!(!asked.name.is_empty());
            }
            let _all = parse_file(&text);
        }
    }
}
