//! From patterns of STIX to things that are looked for. Each alternative of a pattern is enough by itself; what must come
//! together has to be one file, or one host.

use std::collections::BTreeSet;

use super::gather::Thing;
use super::stix_pattern::{Expr, Test};
use super::text::shown;
use super::values::{address, place, refanged};

/// Most comparisons that the alternatives of one pattern may have together.
const MOST: usize = 100_000;

/// Most comparisons that may have to come together.
const MOST_TOGETHER: usize = 50;

/// What a pattern asks for, alternative by alternative, or why one cannot be used.
pub(super) fn things(expr: &Expr) -> Vec<Result<Thing, String>> {
    let mut left = MOST;
    let of = |one: Together<'_>| match one?[..] {
        [only] => single(only),
        ref several => together(several),
    };
    alternatives(expr, &mut left).into_iter().map(of).collect()
}

type Together<'a> = Result<Vec<&'a Test>, String>;

fn alternatives<'a>(expr: &'a Expr, left: &mut usize) -> Vec<Together<'a>> {
    match expr {
        Expr::Is(test) => vec![Ok(vec![test])],
        Expr::Unfit(why) => vec![Err(why.clone())],
        Expr::Any(all) => all.iter().flat_map(|one| alternatives(one, left)).collect(),
        Expr::All(all) => {
            let mut out = vec![Ok(Vec::new())];
            for one in all {
                let these = alternatives(one, left);
                match combined(&out, &these, left) {
                    Some(more) => out = more,
                    None => return vec![Err("it asks for too much at once: too many combinations".to_owned())],
                }
            }
            out
        }
    }
}

/// Each of these with each of those; none if that is too much.
fn combined<'a>(these: &[Together<'a>], those: &[Together<'a>], left: &mut usize) -> Option<Vec<Together<'a>>> {
    let mut out = Vec::new();
    for one in these {
        for other in those {
            let both = match (one, other) {
                (Ok(one), Ok(other)) => Ok(one.iter().chain(other).copied().collect::<Vec<_>>()),
                (Err(why), _) | (_, Err(why)) => Err(why.clone()),
            };
            let cost = both.as_ref().map_or(1, Vec::len);
            if cost > MOST_TOGETHER {
                return None;
            }
            *left = left.checked_sub(cost)?;
            out.push(both);
        }
    }
    Some(out)
}

/// What a comparison is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    /// The content of a file, by SHA-256.
    Content,
    /// The same by another hash.
    OtherHash,
    /// The name of a file.
    Name,
    /// The whole path of a file, as MVT writes it.
    Path,
    /// The folder of a file.
    Folder,
    /// Something else of a file.
    Detail,
    Domain,
    Address,
    Url,
    /// A domain or an address.
    Host,
    /// Which of both.
    HostKind,
    Other,
}

fn about(path: &str) -> About {
    let (kind, property) = path.split_once(':').unwrap_or((path, ""));
    let hash = property.rsplit_once("hashes.").map(|(_, hash)| hash);
    match (kind, property) {
        ("file" | "artifact", _) if property.starts_with("hashes.") => match hash {
            Some("sha256") => About::Content,
            _ => About::OtherHash,
        },
        ("process", "binary_ref.hashes.sha256" | "image_ref.hashes.sha256") => About::Content,
        ("file", "name") => About::Name,
        ("file", "path" | "full_path") => About::Path,
        ("file", "parent_directory_ref.path") => About::Folder,
        ("file" | "artifact", _) => About::Detail,
        ("domain-name" | "hostname", "value") => About::Domain,
        ("ipv4-addr" | "ipv6-addr", "value") => About::Address,
        ("url", "value") => About::Url,
        ("network-traffic", "dst_ref.value" | "src_ref.value") => About::Host,
        ("network-traffic", "dst_ref.type" | "src_ref.type") => About::HostKind,
        _ => About::Other,
    }
}

/// A comparison that is enough alone.
fn single(test: &Test) -> Result<Thing, String> {
    let Test { path, value } = test;
    let told = || format!("`{}` is `{}`", path, shown(value));
    if value.len() > 4096 {
        return Err(format!("{}: that is too long", told()));
    }
    match about(path) {
        About::Content => Ok(Thing::File { sha256: value.clone(), name: None }),
        About::OtherHash => Err(format!("{}: only SHA-256 is compared", told())),
        About::Name if value.contains(['/', '\\']) => Ok(Thing::Path(place(value))),
        About::Name => Err(format!("{}: a name alone is that of honest files too, it needs a SHA-256", told())),
        About::Path => Ok(Thing::Path(place(value))),
        About::Domain => Ok(Thing::Domain(refanged(value))),
        About::Address => Ok(Thing::Ip(address(value))),
        About::Url => Ok(Thing::Url(refanged(value))),
        About::Host if value.contains(':') || value.starts_with(|at: char| at.is_ascii_digit()) => {
            Ok(Thing::Ip(address(value)))
        }
        About::Host => Ok(Thing::Domain(refanged(value))),
        About::Folder | About::Detail | About::HostKind => Err(format!("{}: that alone says nothing", told())),
        About::Other => Err(format!("{}: {}", told(), why_not(path))),
    }
}

fn why_not(path: &str) -> &'static str {
    match path.split(':').next().unwrap_or_default() {
        "process" => "names and command lines of processes are not looked for by imports",
        "software" => "the name of a program says nothing of a package, nor of its index",
        "directory" => "only files are looked for by their place",
        "windows-registry-key" | "win-registry-key" => "registry keys are not looked for",
        "email-addr" | "email-message" => "mail is not looked at",
        "x509-certificate" => "certificates are not looked at",
        _ => "nothing of that kind is looked for",
    }
}

/// Comparisons that must come together.
fn together(tests: &[&Test]) -> Result<Thing, String> {
    let values = |wanted: About| -> BTreeSet<&str> {
        tests.iter().filter(|test| about(&test.path) == wanted).map(|test| test.value.as_str()).collect()
    };
    let all = |known: &[About]| tests.iter().all(|test| known.contains(&about(&test.path)));
    let is_file = all(&[About::Content, About::OtherHash, About::Name, About::Path, About::Folder, About::Detail]);
    let [contents, names, paths, folders] = [About::Content, About::Name, About::Path, About::Folder].map(values);
    let one = |set: &BTreeSet<&str>| if set.len() == 1 { set.first().map(|one| (*one).to_owned()) } else { None };
    match (one(&contents), one(&names), one(&folders)) {
        // What is in a file says more of it than anything else: a name goes with it, the rest is not asked.
        (Some(sha256), name, _) if is_file => Ok(Thing::File { sha256, name: name.or_else(|| one(&paths)) }),
        (None, Some(name), Some(folder)) if contents.is_empty() && all(&[About::Name, About::Folder]) => {
            let folder = folder.trim_end_matches(['/', '\\']);
            Ok(Thing::Path(place(&format!("{folder}/{name}"))))
        }
        _ => match (one(&values(About::Host)), all(&[About::Host, About::HostKind])) {
            (Some(value), true) => single(&Test { path: "network-traffic:dst_ref.value".to_owned(), value }),
            _ => Err(unlike(tests)),
        },
    }
}

fn unlike(tests: &[&Test]) -> String {
    let told: Vec<String> =
        tests.iter().take(3).map(|test| format!("`{}` is `{}`", test.path, shown(&test.value))).collect();
    let more = if tests.len() > told.len() { " and more" } else { "" };
    format!("it asks for several things together: {}{more}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::import::stix_pattern::parse;

    fn read(text: &str) -> Vec<Result<Thing, String>> {
        things(&parse(text).unwrap())
    }

    fn file(sha256: &str, name: Option<&str>) -> Result<Thing, String> {
        Ok(Thing::File { sha256: sha256.to_owned(), name: name.map(str::to_owned) })
    }

    #[test]
    fn single_comparisons_are_things() {
        for (pattern, is) in [
            ("file:hashes.sha256 = 'ab'", Thing::File { sha256: "ab".into(), name: None }),
            ("file:path = '/private/var/x'", Thing::Path("/private/var/x".into())),
            (r"file:name = '%TEMP%\\x.exe'", Thing::Path("{tmp}/x.exe".into())),
            ("domain-name:value = 'evil[.]example'", Thing::Domain("evil.example".into())),
            ("hostname:value = 'evil.example'", Thing::Domain("evil.example".into())),
            ("ipv4-addr:value = '1.2.3.4/32'", Thing::Ip("1.2.3.4".into())),
            ("ipv6-addr:value = '2001:db8::1'", Thing::Ip("2001:db8::1".into())),
            ("url:value = 'http://evil.example/x'", Thing::Url("http://evil.example/x".into())),
            ("network-traffic:dst_ref.value = '1.2.3.4'", Thing::Ip("1.2.3.4".into())),
        ] {
            assert_eq!(read(&format!("[{pattern}]")), [Ok(is)], "{pattern}");
        }
    }

    #[test]
    fn alternatives_are_things_each() {
        let all = read(
            "[file:hashes.MD5 = 'x' OR file:hashes.'SHA-256' = 'y'] OR [domain-name:value IN ('a.example', 'b.example')]",
        );
        assert_eq!(all.len(), 4);
        assert!(
            all[0].as_ref().is_err_and(|why| why.contains("only SHA-256 is compared")) && all[1] == file("y", None)
        );
        assert_eq!(all[3], Ok(Thing::Domain("b.example".into())));
    }

    #[test]
    fn what_comes_together_is_one_file_or_one_host() {
        assert_eq!(read("[file:hashes.sha256 = 'x' AND file:name = 'a.py']"), [file("x", Some("a.py"))]);
        assert_eq!(read("[file:hashes.sha256 = 'x'] AND [file:name = 'a.py']"), [file("x", Some("a.py"))]);
        assert_eq!(
            read("[file:name = 'a' AND (file:hashes.sha256 = 'x' OR file:hashes.sha256 = 'y') AND file:size = 7]"),
            [file("x", Some("a")), file("y", Some("a"))]
        );
        assert_eq!(read("[file:hashes.md5 = 'x' AND file:hashes.sha256 = 'y']"), [file("y", None)]);
        assert_eq!(
            read(r"[file:name = 'x.dll' AND file:parent_directory_ref.path = 'C:\\Windows\\']"),
            [Ok(Thing::Path("/Windows/x.dll".into()))]
        );
        assert_eq!(
            read("[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'evil.example']"),
            [Ok(Thing::Domain("evil.example".into()))]
        );
    }

    #[test]
    fn what_is_unlike_or_too_little_is_told() {
        for (pattern, why) in [
            (
                "[file:hashes.sha256 = 'x' AND domain-name:value = 'y.example']",
                "several things together: `file:hashes.sha256` is `x`",
            ),
            ("[file:hashes.sha256 = 'x'] AND [file:hashes.sha256 = 'y']", "several things together"),
            ("[file:name = 'x' AND file:size = 7]", "several things together"),
            ("[domain-name:value = 'x.example' AND domain-name:resolves_to_refs[*].value = '1.2.3.4']", "together"),
            ("[network-traffic:dst_ref.value = '1.2.3.4' AND network-traffic:dst_port = 443]", "together"),
            ("[file:hashes.sha256 = 'x' AND file:name LIKE 'y%']", "by LIKE"),
            ("[file:name = 'svc.exe']", "it needs a SHA-256"),
            ("[process:command_line = 'x']", "names and command lines of processes"),
            ("[software:name = 'litellm' AND software:version = '1.82.7']", "together"),
            ("[email-addr:value = 'x']", "mail is not looked at"),
            ("[x509-certificate:hashes.'SHA-256' = 'x']", "certificates are not looked at"),
            ("[app:id = 'x']", "nothing of that kind"),
        ] {
            let all = read(pattern);
            assert!(all.len() == 1 && all[0].as_ref().is_err_and(|told| told.contains(why)), "{pattern}: {all:?}");
        }
    }

    #[test]
    fn combinations_are_bounded() {
        let ten = "a:b IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)";
        let all = read(&format!("[{}] OR [domain-name:value = 'x.example']", vec![ten; 40].join(" AND ")));
        assert!(all.len() == 2 && all[0].as_ref().is_err_and(|why| why.contains("too many combinations")));
        assert_eq!(read(&format!("[{}]", vec!["a:b = 1"; 51].join(" AND "))).len(), 1);
        let hashes: Vec<String> = (0..5000).map(|at| format!("'{at:064}'")).collect();
        assert_eq!(read(&format!("[file:hashes.sha256 IN ({})]", hashes.join(","))).len(), 5000);
    }
}
