//! Explicit specifications of conda (`conda list --explicit`, `conda-lock render`, micromamba): a line `@EXPLICIT`, then the
//! address of an archive on each line, `…/NAME-VERSION-BUILD.conda#MD5` or `…#sha256:DIGITS`. conda-lock adds packages of pip
//! as comments, `# pip NAME @ ADDRESS --hash=sha256:DIGITS`.

use super::{Fault, Lock, Pin, excerpt, is_conda_name, is_version, of_conda, requirements};
use crate::extract::format::placed;
use crate::model::id::lower_sha256;

/// How archives of conda end.
const ARCHIVES: &[&str] = &[".conda", ".tar.bz2"];

/// Reads a file of explicit specifications.
///
/// # Errors
/// When it is none, or has more lines than are read.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    let text = placed::lenient(bytes)?;
    if !is_one(&text) {
        return Err(Fault::of_all("begins no explicit list of conda: it has no line `@EXPLICIT`"));
    }
    read(&text)
}

/// Whether a text has the line that makes it one, among the first.
pub(super) fn is_one(text: &str) -> bool {
    text.lines().take(100).any(|line| line.trim() == "@EXPLICIT")
}

pub(super) fn read(text: &str) -> Result<Lock, Fault> {
    let mut lock = Lock::default();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if let Some(pip) = line.strip_prefix("# pip ") {
            requirements::line_of(&mut lock, number, pip);
        } else if !(line.is_empty() || line.starts_with(['#', '@'])) {
            address(&mut lock, number, line);
        }
        requirements::is_held(&lock, number)?;
    }
    Ok(lock)
}

fn address(lock: &mut Lock, line: u32, text: &str) {
    let (url, digest) = text.split_once('#').unwrap_or((text, ""));
    let Some((name, version)) = named(url) else {
        lock.unread.push((line, "names no archive of conda".to_owned()));
        return;
    };
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    let hashes = lower_sha256(digits).into_iter().collect();
    let pin = of_conda(&name, Some(&version));
    lock.pins.push(Pin { line: Some(line), hashes, source: Some(excerpt(url)), ..pin });
}

/// Name and version by the address of an archive: split from the right, since names may hold `-` and the others do not.
pub(super) fn named(url: &str) -> Option<(String, String)> {
    let file = url.split(['?', '#']).next()?.rsplit(['/', '\\']).next()?;
    let stem = ARCHIVES.iter().find_map(|end| file.strip_suffix(end))?;
    let mut fields = stem.rsplitn(3, '-');
    let (_build, version, name) = (fields.next()?, fields.next()?, fields.next()?);
    let version = version.replace("%21", "!").replace("%2B", "+");
    (is_conda_name(name) && is_version(&version)).then(|| (name.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, shown, unread};

    #[test]
    fn addresses_are_read() {
        let text = format!(
            "# platform: linux-64\n@EXPLICIT\nhttps://c/linux-64/_libgcc_mutex-0.1-main.tar.bz2#{}\nhttps://mia:Zq7Zq7Zq7@c/noarch/litellm-1.82.7-py_0.conda#sha256:{}\n# pip litellm @ https://h/litellm-1.82.8-py3-none-any.whl --hash=sha256:{}\nhttps://c/odd\n",
            "0".repeat(32),
            hash('A'),
            hash('b')
        );
        let lock = parse(text.as_bytes()).unwrap();
        let pins: &[Shown] = &[
            ("_libgcc_mutex", Some("0.1"), 3, Some("https://c/linux-64/_libgcc_mutex-0.1-main.tar.bz2")),
            ("litellm", Some("1.82.7"), 4, Some("https://[redacted]@c/noarch/litellm-1.82.7-py_0.conda")),
            ("litellm", Some("1.82.8"), 5, Some("https://h/litellm-1.82.8-py3-none-any.whl")),
        ];
        assert_eq!(shown(&lock.pins), pins);
        assert_eq!((lock.pins[0].hashes.len(), &lock.pins[1].hashes[..]), (0, &[hash('a')][..]));
        assert_eq!(lock.pins[2].hashes, [hash('b')]);
        assert_eq!(unread(&lock), ["6 names no archive of conda"]);
        assert_eq!(requirements::parse(text.as_bytes()).unwrap(), lock);
        assert!(parse(b"a==1\n").is_err() && parse(b"\0").is_err());
    }

    #[test]
    fn hostile_forms_end_well() {
        for one in ["-", "/", "#", "a-1-b.conda\n", "# pip \n", "%"] {
            let _any = parse(format!("@EXPLICIT\n{}", one.repeat(100_000)).as_bytes());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|[-/#.a1%\n]){0,60}") {
            let _any = parse(format!("@EXPLICIT\n{text}.conda").as_bytes());
        }
    }
}
