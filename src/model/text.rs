//! The one way text of the target gets into a report: redacted, on one line, at most 200 characters (promise P6).
//!
//! What counts as a secret: user information in URLs, tokens of known shapes, private-key blocks, and the values of
//! assignments, options and headers whose names say that they hold a credential. Names stay, values go.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use super::command_text;
use regex::{Captures, Regex, RegexSet};
use serde::{Serialize, Serializer};

/// Most characters of target text that one field of a report carries.
pub const MOST: usize = 200;

/// Most bytes of target text that are looked at; a secret cannot straddle the end of what is shown, because what is
/// shown is far shorter.
const LOOKED_AT: usize = 4096;

/// Most characters that are shown before the place that an excerpt is about.
const LEAD: usize = 60;

/// What stands where a secret stood.
pub const MASK: &str = "[redacted]";

/// Text taken from the target, safe to show. There is no other way to make one than through the redactor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Excerpt(String);

impl Excerpt {
    /// Redacts, joins lines and cuts.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        let text = String::from_utf8_lossy(head);
        let text = redact(&text, &mut []);
        // Where the look ended inside a word, that word may be the beginning of a secret that no rule knows yet.
        let text = if head.len() < bytes.len() {
            text.rsplit_once(char::is_whitespace).map_or("", |(whole, _)| whole)
        } else {
            &text
        };
        let mut shown: String = text.chars().take(MOST).collect();
        if shown.len() < text.len() || head.len() < bytes.len() {
            shown = shown.chars().take(MOST - 1).collect();
            shown.push('…');
        }
        Self(shown)
    }

    /// The same of a command, in which secrets stand in more ways.
    #[must_use]
    pub fn command(bytes: &[u8]) -> Self {
        let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        let shown = command_text::masked(&String::from_utf8_lossy(head));
        // What was cut off must not look whole.
        let end: &[u8] = if head.len() < bytes.len() { b" ..." } else { b"" };
        Self::of(&[shown.as_bytes(), end].concat())
    }

    /// The same of a line of any length, around the bytes `place` of it; says too which characters of the excerpt these
    /// are. A place inside a secret is one inside its mask.
    #[must_use]
    pub fn around(text: &str, place: Range<usize>) -> (Self, Range<usize>) {
        let mut marks = [place.start, place.end];
        let text = redact(text, &mut marks);
        let all = text.chars().count();
        let [start, end] = marks.map(|mark| text.get(..mark).map_or(all, |before| before.chars().count()));
        if all <= MOST {
            return (Self(text.into_owned()), start..end);
        }
        // Room for the signs of what was cut.
        let room = MOST - 2;
        let from = start.saturating_sub(LEAD).min(all - room);
        let mut shown = String::from(if from > 0 { "…" } else { "" });
        let shift = |at: usize| at.saturating_sub(from).min(room) + usize::from(from > 0);
        shown.extend(text.chars().skip(from).take(room));
        shown.push_str(if from + room < all { "…" } else { "" });
        (Self(shown), shift(start)..shift(end))
    }

    /// Only the bytes `place` of a line, redacted with all that stands around them: a secret may begin in front of them.
    #[must_use]
    pub fn part(line: &str, place: Range<usize>) -> Self {
        let mut marks = [place.start, place.end];
        let text = redact(line, &mut marks);
        let shown = text.get(marks[0]..marks[1]).unwrap_or_default();
        let cut: String = shown.chars().take(MOST).collect();
        if cut.len() == shown.len() {
            return Self(cut);
        }
        Self(shown.chars().take(MOST - 1).chain(['…']).collect())
    }

    /// An address without its query and fragment, which only its server understands and which may be a key to it.
    #[must_use]
    pub fn address(url: &str) -> Self {
        Self::of(url.trim().split(['?', '#']).next().unwrap_or_default().as_bytes())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.0)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for Excerpt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// The compiled rules: one pass tells which of them have anything to do, since nearly every text has no secret.
struct Rules {
    any: RegexSet,
    each: Vec<Regex>,
}

/// What a rule that does not compile would leave in place is worse than a sweep that stops at its first text.
#[allow(clippy::expect_used, reason = "constant patterns; a test holds that each compiles")]
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    any: RegexSet::new(SOURCES.iter().map(|(source, _)| source)).expect("constant patterns"),
    each: SOURCES.iter().map(|(source, _)| Regex::new(source).expect("constant patterns")).collect(),
});

/// The rules as written, in order, and whether the first group stays in front of the mask (1) or nothing does (0).
const SOURCES: &[(&str, usize)] = &[
    // Private-key blocks, even when only their beginning is in sight.
    (r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*", 1),
    // user:password@ in a URL, up to the last @ of the word: a password may hold / and @ itself. The user name goes as
    // well, since tokens are often put there.
    (r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s'\x22]*@", 1),
    // Authorization headers, and bearer tokens wherever they stand.
    (r"(?i)(authorization['\x22]?\s*[:=]\s*['\x22]?(?:basic|bearer|token|digest)?\s*)[^\s'\x22,;]+", 1),
    (r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}", 1),
    // Options: --password x, --api-key=x, curl -u user:x. A bare -p is too common to touch.
    (
        r"(?i)(--?[a-z0-9-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key|credential)[a-z0-9-]*[= ]\s*)(?:'[^']*'?|\x22[^\x22]*\x22?|[^\s;|&]+)",
        1,
    ),
    (r"((?:^|\s)(?:-u|--user)[= ]?\s*[^\s:]+:)[^\s;|&]+", 1),
    // netrc and its like: `password x`; docker's "auth": "x".
    (r"(?i)\b(password\s+)[^\s=:'\x22]+", 1),
    (r"(?i)([\x22']auth[\x22']\s*:\s*)[\x22'][^\x22']*[\x22']?", 1),
    // The same where more than a blank stands between: texts in three quotes, brackets, a type, a text that goes on.
    (
        r"(?i)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|_pass|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|\b_auth|auth[_-]?key)[a-z0-9_.-]*['\x22]?\]?\s*(?::\s*[a-z_][a-z0-9_.\[\]| ]*)?(?:=>|[:=])\s*(?:['\x22]\s*\+\s*|[(\[{]+\s*)?[bru]{0,2})(?:'''[\s\S]*?(?:'''|$)|\x22{3}[\s\S]*?(?:\x22{3}|$)|'[^']*'?|\x22[^\x22]*\x22?)",
        1,
    ),
    // Short names mean a secret only beside a text.
    (
        r"(?i)(\b(?:pw|pwd|pass|key)['\x22]?\s*[:=,]\s*[bru]{0,2})(?:'''[\s\S]*?(?:'''|$)|\x22{3}[\s\S]*?(?:\x22{3}|$)|'[^']*'?|\x22[^\x22]*\x22?)",
        1,
    ),
    (r"(?i)(\bpw=|\bpwd=|\bsshpass\s+-p\s*|\bx-[a-z-]*key\s*:\s*)[^\s'\x22;&]+", 1),
    (r"(?i)([?&](?:sig|code|key|auth|[a-z-]*signature|pw|pwd|pass)=)[^&\s'\x22]+", 1),
    // A channel of conda: the token is a part of the path.
    (r"(https?://[^\s/'\x22]+/t/)[A-Za-z0-9_-]{8,}", 1),
    (r"(?i)(\b(?:auth\s*=\s*|login\s*)\(\s*['\x22][^'\x22]*['\x22]\s*,\s*)['\x22][^'\x22]*['\x22]?", 1),
    // NAME=value, "name": "value", os.environ['NAME'] = b'value'.
    (
        r"(?i)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|_pass|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|\b_auth|auth[_-]?key)[a-z0-9_.-]*['\x22]?\]?\s*(?:=>|[:=])\s*)(?:[bBrRuUfF]{0,2}'[^']*'?|[bBrRuUfF]{0,2}\x22[^\x22]*\x22?|[^\s'\x22;,&)\[][^\s'\x22;,&)]*)",
        1,
    ),
    // f('NAME', 'value'), setx NAME value: a name of a credential, and what follows it.
    (
        r"(?i)(['\x22][a-z0-9_.-]*(?:passw(?:or)?d|passphrase|_pass|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|\b_auth|auth[_-]?key)[a-z0-9_.-]*['\x22]\s*,\s*)(?:[bBrRuUfF]{0,2}'[^']*'?|[bBrRuUfF]{0,2}\x22[^\x22]*\x22?|[^\s'\x22;,&)\[][^\s'\x22;,&)]*)",
        1,
    ),
    (
        r"(?i)(\bsetx\s+[a-z0-9_.-]*(?:passw(?:or)?d|passphrase|_pass|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|\b_auth|auth[_-]?key)[a-z0-9_.-]*\s+)(?:[bBrRuUfF]{0,2}'[^']*'?|[bBrRuUfF]{0,2}\x22[^\x22]*\x22?|[^\s'\x22;,&)\[][^\s'\x22;,&)]*)",
        1,
    ),
    // Shapes that are secret wherever they stand.
    (
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{16,})",
        0,
    ),
    (
        r"\b(?:sk-[A-Za-z0-9_-]{16,}|sk_live_[A-Za-z0-9]{10,}|rk_live_[A-Za-z0-9]{10,}|hf_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_.-]+)",
        0,
    ),
    (
        r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|dop_v1_[a-f0-9]{32,}|hvs\.[A-Za-z0-9_-]{16,}|AGE-SECRET-KEY-[A-Z0-9]+)",
        0,
    ),
    (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?", 0),
    (r"https://hooks\.slack\.com/services/\S+", 0),
    (r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\S+", 0),
];

/// `1 finding`, `2 findings`: a number with its noun.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Masks what is secret; `marks` are offsets that move with the text.
fn redact<'t>(text: &'t str, marks: &mut [usize]) -> Cow<'t, str> {
    if !RULES.any.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut out = text.to_owned();
    for (find, (_, keep)) in RULES.each.iter().zip(SOURCES) {
        let mut moved = marks.to_vec();
        // By how much what follows has grown; it may have shrunk.
        let mut grown = 0_isize;
        let next = find.replace_all(&out, |found: &Captures<'_>| {
            let mask = masked(found, *keep);
            let place = found.get(0).map_or(0..0, |all| all.range());
            let change = mask.len().cast_signed() - place.len().cast_signed();
            for (mark, to) in marks.iter().zip(&mut moved) {
                if place.contains(mark) {
                    *to = (place.start + (mark - place.start).min(mask.len())).saturating_add_signed(grown);
                } else if *mark >= place.end {
                    *to = mark.saturating_add_signed(grown + change);
                }
            }
            grown += change;
            mask
        });
        out = next.into_owned();
        marks.copy_from_slice(&moved);
    }
    Cow::Owned(out)
}

fn masked(found: &Captures<'_>, keep: usize) -> String {
    let kept = if keep == 0 { "" } else { found.get(keep).map_or("", |group| group.as_str()) };
    let tail = if found.get(0).is_some_and(|all| all.as_str().ends_with('@')) { "@" } else { "" };
    format!("{kept}{MASK}{tail}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        Excerpt::of(text.as_bytes()).to_string()
    }

    #[test]
    fn a_part_is_redacted_with_its_line() {
        let line = "RUN pip install x -i https://user:Pa4ss&S3CRETTAIL@h/simple; T=1";
        let part = Excerpt::part(line, 4..line.find('&').unwrap());
        assert!(part.as_str().starts_with("pip install x") && !part.as_str().contains("Pa4ss"), "{part}");
        assert_eq!(Excerpt::part("abc def", 4..7).as_str(), "def");
        assert_eq!(Excerpt::address(" https://h/x.whl?X-Amz-Signature=ab#sha256=1").as_str(), "https://h/x.whl");
        let conda = Excerpt::of(b"https://conda.example.org/t/mi-1a2b3c4d-1a2b/acme/x.conda");
        assert_eq!(conda.as_str(), "https://conda.example.org/t/[redacted]/acme/x.conda");
        assert!(!Excerpt::of(b"-i https://h/s?X-Amz-Signature=0123456789abcdef").as_str().contains("0123"));
    }

    #[test]
    fn every_rule_compiles() {
        assert_eq!(RULES.each.len(), SOURCES.len());
        assert_eq!(RULES.any.len(), SOURCES.len());
    }

    #[test]
    fn values_go_and_names_stay() {
        assert_eq!(shown("https://mia:hunter2@example.org/simple"), "https://[redacted]@example.org/simple");
        assert_eq!(shown("export OPENAI_API_KEY=abc123 && x"), "export OPENAI_API_KEY=[redacted] && x");
        assert_eq!(shown("{\"password\": \"two words\"}"), "{\"password\": [redacted]}");
        assert_eq!(shown("pip install --token s3cr3t x"), "pip install --token [redacted] x");
        assert_eq!(shown("Authorization: Bearer abc.def"), "Authorization: Bearer [redacted]");
        for (hidden, text) in [
            ("S3CR", "api_secret_key=b'S3CRET'"),
            ("S3CR", "os.environ.setdefault('OPENAI_API_KEY', 'S3CRET')"),
            ("S3CR", "X-Api-Key: S3CRET"),
            ("S3CR", "DB_PASS=S3CRET MYSQL_PWD=S3CRET"),
            ("S3CR", "machine x login y password S3CRET"),
            ("S3CR", "{\"auth\": \"S3CRET\"}"),
            ("S3CR", "curl -u mia:S3CRET https://x"),
            ("words", "run --password 'two words'"),
            ("REST", "https://mia:p@/REST@h/x"),
            ("S3CR", "setx API_TOKEN S3CRET"),
        ] {
            assert!(!shown(text).contains(hidden), "{}", shown(text));
        }
        assert_eq!(shown("import os; os.environ.get('AV_TEST')"), "import os; os.environ.get('AV_TEST')");
    }

    #[test]
    fn a_value_goes_whatever_stands_before_it() {
        for line in [
            "PASSWORD = '''s3cr3t'''",
            "x = {'PASSWORD': ('s3cr3t')}",
            "cmd = 'PASSWORD=' + 's3cr3t'",
            "token: str = 's3cr3t'",
            "PW='s3cr3t'; pwd = \"s3cr3t\"; key='s3cr3t'",
            "os.putenv('PASS', 's3cr3t')",
            "curl -H X-Key:s3cr3t",
            "sshpass -p s3cr3t ssh mia@host",
            "https://example.org/?sig=s3cr3t&code=s3cr3t",
            "get(url, auth=('mia', 's3cr3t')); login('mia', 's3cr3t')",
        ] {
            assert!(!shown(line).contains("s3cr3t"), "{line}: {}", shown(line));
        }
        assert_eq!(shown("sorted(x, key=len); token = next(it)"), "sorted(x, key=len); token = [redacted])");
    }

    #[test]
    fn tokens_go_wherever_they_stand() {
        for token in [
            concat!("gh", "p_0123456789abcdefghij0123456789abcdef"),
            concat!("sk", "-proj-0123456789abcdefghij"),
            concat!("xo", "xb-0123456789-abcdef"),
            concat!("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
            concat!("pypi", "-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"),
        ] {
            let out = shown(&format!("x = f({token})"));
            assert!(!out.contains(&token[8..]), "{out}");
        }
        let key = shown("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk");
        assert_eq!(key, "-----BEGIN OPENSSH PRIVATE KEY-----[redacted]");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let out = shown(&"a".repeat(500));
        assert_eq!(out.chars().count(), MOST);
        assert!(out.ends_with('…'));
    }

    #[test]
    fn a_place_moves_with_the_text_around_it() {
        let at = |text: &str, word: &str| {
            let start = text.find(word).unwrap();
            let (shown, place) = Excerpt::around(text, start..start + word.len());
            let found = shown.as_str().chars().skip(place.start).take(place.len()).collect::<String>();
            (shown.as_str().chars().count(), found)
        };
        assert_eq!(at("DB_PASSWORD=hunter2hunter2; x()", "x()"), (27, "x()".to_owned()));
        assert_eq!(at("a_token=1 b_token=2222222222222222; ü x()", "x()").1, "x()");
        let long = format!("{} API_KEY='{}'; x() {}", "é".repeat(900), "k".repeat(300), "z".repeat(900));
        assert_eq!(at(&long, "x()"), (MOST, "x()".to_owned()));
        assert_eq!(at(&format!("{} x()", "é".repeat(900)), "x()").1, "x()");
        assert_eq!(at(&format!("x() {}", "é".repeat(900)), "x()"), (MOST - 1, "x()".to_owned()));
        // Inside of a secret there is only its mask.
        let (shown, _) = Excerpt::around("DB_PASSWORD=hunter2hunter2", 14..18);
        assert_eq!(shown.as_str(), "DB_PASSWORD=[redacted]");
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_is_shown(text in "\\PC{0,400}|(TOKEN=[a-z ]{1,9}){0,60}", start in 0_usize..600, length in 0_usize..99) {
            let start = text.char_indices().map(|one| one.0).nth(start).unwrap_or(text.len());
            let (shown, place) = Excerpt::around(&text, start..(start + length).min(text.len()));
            let all = shown.as_str().chars().count();
            prop_assert!(all <= MOST && place.start <= all && place.end <= all, "{:?} {}", place, all);
        }

        #[test]
        fn a_secret_value_never_survives(secret in "[A-Za-z0-9]{12,60}", lead in "[ a-z]{0,150}") {
            let out = shown(&format!("{lead} DB_PASSWORD={secret}"));
            prop_assert!(!out.contains(&secret[..8]), "{}", out);
        }

        #[test]
        fn any_bytes_give_a_short_text(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            prop_assert!(Excerpt::of(&bytes).as_str().chars().count() <= MOST);
        }
    }
}
