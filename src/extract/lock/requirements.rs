//! Requirements files (pip's documentation, "Requirements File Format"; PEP 508 for a line), and names and versions as people
//! write them: `NAME`, `NAME==VERSION`.
//!
//! A line may go on behind a backslash, end in a comment, carry a marker and options such as `--hash`, and name a path, an
//! address or a repository in place of a version.

use std::borrow::Cow;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::lines::{self, Logical};
use super::{Fault, Include, Lock, Pin, conda_explicit, excerpt, is_here, is_version, sha256};
use crate::extract::format::names::is_name;

/// Options that name another file of requirements.
const INCLUDES: &[&str] = &["--requirement", "--constraint", "-r", "-c"];

/// Options that name a source tree.
const TREES: &[&str] = &["--editable", "-e"];

/// Options that bring in none.
const OPTIONS: &[&str] = &[
    "-i",
    "--index-url",
    "--pypi-url",
    "--extra-index-url",
    "--no-index",
    "-f",
    "--find-links",
    "--no-binary",
    "--only-binary",
    "--prefer-binary",
    "--require-hashes",
    "--pre",
    "--all-releases",
    "--only-final",
    "--trusted-host",
    "--use-feature",
    "-Z",
    "--always-unzip",
    "--use-wheel",
    "--no-use-wheel",
    "--process-dependency-links",
];

/// Most lines that say something: more than any list of packages has, and few enough to hold.
pub(super) const MOST: usize = 1_000_000;

/// How archives of sources end.
const ARCHIVES: &[&str] = &[".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz"];

/// Reads `NAME[extra]==VERSION ; marker`; none when it begins with no name. A range or an exclusion pins nothing.
#[must_use]
pub fn pin(text: &str) -> Option<Pin> {
    let text = without_comment(text);
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
    let source = rest.strip_prefix('@').map(|place| excerpt(place.trim()));
    let tagged = || rest.strip_prefix('@').and_then(|place| tag(name, place));
    let version = pinned(rest).or_else(tagged);
    let range = if version.is_none() { range(rest) } else { String::new() };
    known.then(|| Pin { name: name.to_owned(), version, range, source, ..Pin::default() })
}

/// `>=1.80,<2`, as PEP 440 writes it.
fn range(rest: &str) -> String {
    let rest = rest.split(" -").next().unwrap_or_default().trim_matches(['(', ')', ' ']);
    let is_range = rest.starts_with(['=', '!', '<', '>', '~']);
    if is_range { rest.split_whitespace().collect() } else { String::new() }
}

/// The version of `==V` or `===V`, alone or with other conditions; `==1.*` pins nothing.
fn pinned(rest: &str) -> Option<String> {
    let rest = rest.trim_matches(['(', ')']);
    let exact = rest.split(',').find_map(|one| {
        let version = one.trim().strip_prefix("==")?.trim_start_matches('=').trim();
        let version = version.split_whitespace().next()?;
        (!version.ends_with('*')).then(|| version.to_owned())
    });
    exact.or_else(|| {
        // No other version is as high and as low.
        let bound = |sign: &str| {
            let found = rest.split(',').find_map(|one| one.trim().strip_prefix(sign))?;
            found.split_whitespace().next()
        };
        let (low, high) = (bound(">=")?, bound("<=")?);
        (Version::from_str(low).ok()? == Version::from_str(high).ok()?).then(|| low.to_owned())
    })
}

/// The version that a tag of a repository is called after: `…@v1.82.7`, `…@1.82.7`, `…@NAME-1.82.7`.
fn tag(name: &str, place: &str) -> Option<String> {
    let place = place.split(['#', ';']).next()?.trim();
    let (scheme, rest) = place.split_once("://")?;
    let (_host, path) = rest.split_once('/')?;
    let (_, tag) = path.rsplit_once('@').filter(|_| scheme.contains('+'))?;
    let tag = tag.split_whitespace().next()?.rsplit('/').next()?;
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    let named = tag.split_at_checked(name.len()).filter(|(head, _)| plain(head) == plain(name));
    let tag = named.and_then(|(_, rest)| rest.strip_prefix('-')).unwrap_or(tag).trim_start_matches(['v', 'V']);
    // `v1` is moved on with every release.
    (tag.contains('.') && Version::from_str(tag).is_ok()).then(|| tag.to_owned())
}

/// A text without its end, in whatever case that is.
fn without_end<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    tail.eq_ignore_ascii_case(end).then_some(head)
}

/// Reads a requirements file.
///
/// # Errors
/// When it is no text, or has more lines than are read.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    let text = lines::decode(bytes)?;
    if conda_explicit::is_one(&text) {
        return conda_explicit::read(&text);
    }
    let mut out = Lock::default();
    for line in Logical::of(&text) {
        if line.is_long {
            out.unread.push((line.number, "is longer than any requirement".to_owned()));
            out.hides = true;
        }
        line_of(&mut out, line.number, &line.text);
        is_held(&out, line.number)?;
    }
    Ok(out)
}

/// Whether there is room for more lines.
pub(super) fn is_held(out: &Lock, line: u32) -> Result<(), Fault> {
    let count = out.pins.len() + out.unread.len() + out.includes.len();
    let why = "comes behind more lines than are read";
    if count <= MOST { Ok(()) } else { Err(Fault { line, column: 1, why: why.to_owned() }) }
}

/// The text in front of a comment: a `#` at the beginning, or behind a blank. In an address it begins the fragment.
pub(super) fn without_comment(text: &str) -> &str {
    let begins = |at: usize| text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']));
    let found = text.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    text.get(..found.unwrap_or(text.len())).unwrap_or_default()
}

/// Reads one line whose continuation is joined to it.
pub(super) fn line_of(out: &mut Lock, line: u32, text: &str) {
    let text = without_comment(text).trim();
    if text.is_empty() {
        return;
    }
    if text.starts_with('-') {
        option(out, line, text);
        return;
    }
    // The project that the file belongs to.
    if is_here(text.split(['[', ' ', ';']).next().unwrap_or_default()) {
        return;
    }
    let (what, options) = text.find(" -").map_or((text, ""), |at| text.split_at_checked(at).unwrap_or((text, "")));
    let found = wheel(what).or_else(|| archive(what)).or_else(|| repository(what)).or_else(|| pin(what));
    let Some(mut found) = found.or_else(|| exported(what)) else {
        out.unread.push((line, "is no NAME==VERSION".to_owned()));
        return;
    };
    if found.version.as_deref().is_some_and(|version| !is_version(version)) {
        let why = format!("has a version of {} that is no single version", super::shown(&found.name));
        out.unread.push((line, why));
        found.version = None;
    }
    let hashes = hashes(out, line, &found.name, what, options);
    out.pins.push(Pin { line: Some(line), hashes, ..found });
}

/// Reads a line of options. Every word is looked at: those of an option that is not known here may stand before others.
fn option(out: &mut Lock, line: u32, text: &str) {
    let words = lines::words(text);
    let mut words = words.iter().map(String::as_str);
    let mut is_known = true;
    while let Some(word) = words.next() {
        if let Some(value) = value_of(word, TREES) {
            tree(out, line, value.or_else(|| words.next()).unwrap_or_default());
        } else if let Some(value) = value_of(word, INCLUDES) {
            include(out, line, value.or_else(|| words.next()).unwrap_or_default());
        } else if word.starts_with('-') {
            is_known &= value_of(word, OPTIONS).is_some();
        }
    }
    if !is_known {
        out.unread.push((line, "has an option that this version does not know".to_owned()));
    }
}

/// The value in a word that is one of these options: `-rVALUE`, `--requirement=VALUE`; an inner none where the next word is
/// the value. A long option may be cut short, as `optparse` of Python has it.
fn value_of<'a>(word: &'a str, options: &[&str]) -> Option<Option<&'a str>> {
    if word.starts_with("--") {
        let (head, value) = word.split_once('=').map_or((word, None), |(head, value)| (head, Some(value)));
        return (head.len() > 2 && options.iter().any(|option| option.starts_with(head))).then_some(value);
    }
    let short = options.iter().filter(|option| option.len() == 2);
    let rest = short.filter_map(|option| word.strip_prefix(option)).next()?;
    Some(Some(rest).filter(|rest| !rest.is_empty()))
}

fn tree(out: &mut Lock, line: u32, path: &str) {
    // The project itself, with extras or without.
    let tree = path.split(['[', ' ', ';']).next().unwrap_or_default();
    if let Some(found) = repository(path) {
        out.pins.push(Pin { line: Some(line), ..found });
    } else if !is_here(tree) {
        out.unread.push((line, "names a source tree, which this version does not follow".to_owned()));
    }
}

fn include(out: &mut Lock, line: u32, path: &str) {
    let path = lines::local(path).unwrap_or_else(|| path.to_owned());
    if path.is_empty() || path.contains("://") || path.contains("${") {
        out.unread.push((line, "names another file by an address or a variable, which is not followed".to_owned()));
        out.hides |= !path.is_empty();
    } else {
        out.includes.push(Include { line, path });
    }
}

/// `NAME=VERSION=BUILD`, as `conda list --export` writes lines into files that are called requirements.
fn exported(text: &str) -> Option<Pin> {
    let mut fields = text.split('=');
    let (name, version, build) = (fields.next()?, fields.next()?, fields.next()?);
    let is_export = super::is_conda_name(name) && is_version(version) && !build.is_empty() && fields.next().is_none();
    is_export.then(|| super::of_conda(name, Some(version)))
}

/// The hashes of `--hash=sha256:…` and of `#sha256=…` in an address.
fn hashes(out: &mut Lock, line: u32, name: &str, what: &str, options: &str) -> Vec<String> {
    let options =
        options.split("--hash").skip(1).filter_map(|one| one.trim_start_matches(['=', ' ']).split(' ').next());
    let options = options.map(|one| Cow::Borrowed(one.trim_matches(['"', '\''])));
    let fragment = what.split_once('#').map_or("", |(_, fragment)| fragment);
    let fragment = fragment
        .split(['&', ' ', ';'])
        .filter(|part| part.starts_with("sha256="))
        .map(|part| part.replacen('=', ":", 1));
    let mut found = Vec::new();
    for text in options.chain(fragment.map(Cow::Owned)) {
        match sha256(&text) {
            Some(hash) => found.push(hash),
            None if !text.starts_with("sha256") => {}
            None => out.unread.push((line, format!("has a SHA-256 of {} that is none", super::shown(name)))),
        }
    }
    found
}

/// A path or address of a wheel names the package by its file name: `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`.
fn wheel(text: &str) -> Option<Pin> {
    let path = text.split([' ', '#', '?', ';']).find(|part| without_end(part, ".whl").is_some())?;
    let mut fields = file_name(path).split('-');
    let (name, version) = (fields.next()?, fields.next()?);
    fields.next()?;
    is_name(name).then(|| Pin {
        name: name.to_owned(),
        version: Some(decoded(version)),
        source: Some(excerpt(path)),
        ..Pin::default()
    })
}

/// So does one of sources: `NAME-VERSION.tar.gz`. Where the line names the package as well, the file may have any name.
fn archive(text: &str) -> Option<Pin> {
    let path =
        text.split([' ', '#', '?', ';']).find(|part| ARCHIVES.iter().any(|end| without_end(part, end).is_some()))?;
    let stem = ARCHIVES.iter().find_map(|end| without_end(file_name(path), end))?;
    let from_file = stem
        .rsplit_once('-')
        .filter(|(name, version)| is_name(name) && version.starts_with(|first: char| first.is_ascii_digit()));
    let named = text.split_once('@').and_then(|_| pin(text)).filter(|pin| pin.source.is_some());
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    let pin = match (named, from_file) {
        (Some(named), Some((name, version))) if plain(&named.name) == plain(name) => {
            Pin { version: Some(decoded(version)), ..named }
        }
        (Some(named), _) => named,
        (None, Some((name, version))) => {
            Pin { name: name.to_owned(), version: Some(decoded(version)), ..Pin::default() }
        }
        (None, None) => return None,
    };
    Some(Pin { source: Some(excerpt(path)), ..pin })
}

/// A repository names the package in its fragment: `git+https://…#egg=NAME`.
fn repository(text: &str) -> Option<Pin> {
    let (place, fragment) = text.split_once('#')?;
    let named = fragment.split(['&', ' ', ';']).find_map(|part| part.strip_prefix("egg="))?;
    let name = named.split('[').next().filter(|name| is_name(name))?;
    let version = tag(name, place);
    place.contains("://").then(|| Pin {
        name: name.to_owned(),
        version,
        source: Some(excerpt(place)),
        ..Pin::default()
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A version in an address: the `+` of a local part may be written as a number.
fn decoded(version: &str) -> String {
    version.replace("%2B", "+").replace("%2b", "+").replace("%21", "!")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::lock::tests::{hash, shown, unread};

    fn both(text: &str) -> Option<(String, Option<String>)> {
        pin(text).map(|pin| (pin.name, pin.version))
    }

    fn is(text: &str, name: &str, version: Option<&str>) {
        assert_eq!(both(text), Some((name.to_owned(), version.map(str::to_owned))), "{text}");
    }

    fn read(text: &str) -> Lock {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn pins_are_told_from_ranges() {
        is("litellm==1.82.7", "litellm", Some("1.82.7"));
        is("LiteLLM[proxy] == 1.82.7 ; python_version > '3.8'", "LiteLLM", Some("1.82.7"));
        is("litellm===1.82.7 --hash=sha256:ab", "litellm", Some("1.82.7"));
        is("litellm (==1.82.7)", "litellm", Some("1.82.7"));
        is("litellm>=1,==1.82.7", "litellm", Some("1.82.7"));
        is("litellm==1.82.7\t# why", "litellm", Some("1.82.7"));
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
        let out = read(
            "# c\nrequests==2.0 \\\n  --hash=sha256:ab\n\n--index-url https://x\n-r more.txt\nlitellm==1.82.7 # why\n./x.whl\n--later=1\n",
        );
        assert_eq!(shown(&out.pins), [("requests", Some("2.0"), 2, None), ("litellm", Some("1.82.7"), 7, None)]);
        assert_eq!(
            unread(&out),
            [
                "2 has a SHA-256 of requests that is none",
                "8 is no NAME==VERSION",
                "9 has an option that this version does not know",
            ]
        );
        assert_eq!(out.includes, [Include { line: 6, path: "more.txt".to_owned() }]);
        let odd =
            read("# c \\\nlitellm==1.82.7\rsix==1\n./y/litellm-1.82.8-py3-none-any.whl\nx==1 # c \\\ny==2\nz==3 \\");
        let pins: Vec<_> = odd.pins.iter().filter_map(|one| one.version.as_deref()).collect();
        assert_eq!(pins, ["1.82.7", "1", "1.82.8", "1", "2", "3"]);
    }

    #[test]
    fn other_files_and_trees_are_named() {
        let out = read(
            "-rbase.txt\n--requirement='../a b.txt' # c\n-c 'c.txt'\n--constraint d.txt\n-r https://h/x.txt\n-r ${HOME}/x\n-r\n-e .\n-e .[dev]\n--editable ../near\n.\n./[dev] ; a > 'b'\n-e git+https://h/far@1#egg=far\n",
        );
        let named: Vec<(u32, &str)> = out.includes.iter().map(|one| (one.line, &*one.path)).collect();
        assert_eq!(named, [(1, "base.txt"), (2, "../a b.txt"), (3, "c.txt"), (4, "d.txt")]);
        let address = "names another file by an address or a variable, which is not followed";
        let tree = "10 names a source tree, which this version does not follow";
        let told = [format!("5 {address}"), format!("6 {address}"), format!("7 {address}"), tree.to_owned()];
        assert_eq!(unread(&out), told);
        assert_eq!(shown(&out.pins), [("far", None, 13, Some("git+https://[redacted]@1"))]);
    }

    #[test]
    fn no_option_hides_another() {
        let out = read(
            "--pre -r a.lst\n-i https://h -r b\n--req c\n--constr=d --pre\n-r e --no-index\n-r f\\ g.lst\n-r \"h i\"\n-r file:///j/k%20l\n--no-index -c m -r n\n--pre -e git+https://h/x@1#egg=far\n",
        );
        let named: Vec<&str> = out.includes.iter().map(|one| &*one.path).collect();
        assert_eq!(named, ["a.lst", "b", "c", "d", "e", "f g.lst", "h i", "/j/k l", "m", "n"]);
        assert_eq!((unread(&out).len(), out.hides, out.pins.len()), (0, false, 1));
        assert!(read("-r https://h/x\n").hides && read("-r ${X}/y").hides && !read("-r\n--later\n").hides);
    }

    #[test]
    fn lines_are_those_of_pip() {
        for text in [
            "litellm==1.82\\\n.7\n",
            "lite\\\nllm==1.82.7\n",
            "# a\u{2028}litellm==1.82.7",
            "litellm>=1.82.7,<=1.82.7",
            "https://h/litellm-1.82.7-py3-none-any.WHL",
            "https://h/litellm-1.82.7.Tar.GZ",
            "litellm @ git+https://h/x@v1.82.7",
            "litellm @ git+https://h/x@refs/tags/1.82.7#sub=a",
            "git+https://h/x@litellm-1.82.7#egg=litellm",
        ] {
            let out = read(text);
            let found: Vec<_> = out.pins.iter().map(|pin| (&*pin.name, pin.version.as_deref())).collect();
            assert_eq!(found, [("litellm", Some("1.82.7"))], "{text}");
        }
        is("litellm<1.82.8,>=1.82.7", "litellm", None);
        is("litellm @ git+https://h/x@main", "litellm", None);
        let long = read(&format!("{}\nlitellm==1.82.7\n", "a".repeat(lines::LONGEST)));
        assert_eq!(
            (unread(&long), long.hides, long.pins.len()),
            (vec!["1 is longer than any requirement".to_owned()], true, 1)
        );
        assert!(parse(b"# coding: utf-7\n+AGw-itellm==1.82.7").is_err());
    }

    #[test]
    fn conda_exports_are_read_and_templates_are_not() {
        let out = read("# platform: linux-64\nlitellm=1.82.7=pypi_0\n_libgcc_mutex=0.1=main\na==$V\nb=={{ v }}\nc=1\n");
        let pins: &[crate::extract::lock::tests::Shown] = &[
            ("litellm", Some("1.82.7"), 2, Some("conda")),
            ("_libgcc_mutex", Some("0.1"), 3, Some("conda")),
            ("a", None, 4, None),
            ("b", None, 5, None),
        ];
        assert_eq!(shown(&out.pins), pins);
        assert_eq!(unread(&out).len(), 3);
    }

    #[test]
    fn hashes_are_kept() {
        let [a, b] = [hash('A'), hash('b')];
        let out = read(&format!(
            "x==1 --hash=sha256:{a} \\\n    --hash sha256:{b} --hash=md5:00\nhttps://h/y-2-py3-none-any.whl#sha256={a}\nz @ https://h/z-3.tar.gz#egg=z&sha256={b} ; a > 'b'\n"
        ));
        assert_eq!(out.pins[0].hashes, [hash('a'), hash('b')]);
        assert_eq!((&out.pins[1].hashes[..], &out.pins[2].hashes[..]), (&[hash('a')][..], &[hash('b')][..]));
        assert!(out.unread.is_empty());
    }

    #[test]
    fn places_name_packages() {
        let out = read(
            "https://h/litellm-1.82.7-py3-none-any.whl\n./d/litellm-1.82.8.tar.gz\nx @ https://h/x/archive/v1.0.zip\nlite-llm @ file:///d/lite_llm-1.0%2Bcorp.zip\ngit+https://mia:Zq7Zq7Zq7@h/far@v1#egg=far[x]&subdirectory=d\ny @ git+ssh://git@h/y@1.82.7\n./tree\nhttps://h/archive/main.zip\n",
        );
        assert_eq!(
            shown(&out.pins),
            [
                ("litellm", Some("1.82.7"), 1, Some("https://h/litellm-1.82.7-py3-none-any.whl")),
                ("litellm", Some("1.82.8"), 2, Some("./d/litellm-1.82.8.tar.gz")),
                ("x", None, 3, Some("https://h/x/archive/v1.0.zip")),
                ("lite-llm", Some("1.0+corp"), 4, Some("file:///d/lite_llm-1.0%2Bcorp.zip")),
                ("far", None, 5, Some("git+https://[redacted]@v1")),
                ("y", Some("1.82.7"), 6, Some("git+ssh://[redacted]@1.82.7")),
            ]
        );
        assert_eq!(unread(&out), ["7 is no NAME==VERSION", "8 is no NAME==VERSION"]);
    }

    #[test]
    fn files_come_in_the_encodings_of_their_writers() {
        let wide: Vec<u8> = "\u{feff}litellm==1.82.7\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide).unwrap().pins[0].version.as_deref(), Some("1.82.7"));
        assert_eq!(parse(b"\xef\xbb\xbflitellm==1.82.7 # caf\xe9").unwrap().pins[0].name, "litellm");
        assert!(parse(b"PK\x03\x04\0").is_err());
    }

    #[test]
    fn hostile_forms_end_well() {
        let text = "a==1 \\\n --hash=sha256:ab # c\nb @ https://h/b-1.zip#egg=b ; c\n-r d\n";
        for end in 0..text.len() {
            let _any = read(&text[..end]);
        }
        let many: String =
            (0..100_000).map(|one| format!("p{one}==1.{one} \\\n  --hash=sha256:{}\n", hash('a'))).collect();
        let lock = read(&many);
        assert_eq!((lock.pins.len(), lock.pins[99_999].line, lock.unread.len()), (100_000, Some(199_999), 0));
        assert!(parse("a\n".repeat(MOST + 2).as_bytes()).unwrap_err().why.contains("more lines than are read"));
        for one in ["\\\n", " #", "#", " -", "--hash ", "[", "(", "@", "a==1,"] {
            let _any = read(&one.repeat(200_000));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,100}", pieces in crate::extract::lock::tests::pieces()) {
            if let Some(asked) = pin(&text) {
                prop_assert!(!asked.name.is_empty());
            }
            let _all = (parse(text.as_bytes()), parse(pieces.as_bytes()));
        }
    }
}
