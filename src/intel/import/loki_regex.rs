//! Regular expressions of Loki's lists of file names, as far as they stand for one path: what is escaped stands for itself,
//! and what is not must be a letter, a digit or a sign without a meaning.

/// What stands for more than itself.
const SIGNS: &str = ".*+?[](){}|^$";

/// The pattern of packs for the paths that an expression fits, or why there is none.
pub(super) fn path(regex: &str) -> Result<String, String> {
    let regex = regex.strip_prefix("(?i)").unwrap_or(regex);
    let (is_start, regex) = regex.strip_prefix('^').map_or((false, regex), |rest| (true, rest));
    let (text, is_end) = literal(regex)?;
    let text = text.replace('\\', "/");
    let (is_drive, rest) = match text.as_bytes() {
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => (true, text.get(3..).unwrap_or_default()),
        // Whatever the drive.
        [b':', b'/', ..] => (true, text.get(2..).unwrap_or_default()),
        _ => (false, text.strip_prefix('/').unwrap_or(&text)),
    };
    let has_beginning = is_drive || text.starts_with('/');
    if rest.is_empty() || rest.ends_with('/') {
        return Err("it names a folder: only files are looked for by their place".to_owned());
    }
    if !is_end && !rest.ends_with(char::is_alphanumeric) {
        return Err("it does not say where the file's name ends".to_owned());
    }
    if !rest.contains('/') {
        return Err("a file's name alone is that of honest files too: it needs a SHA-256".to_owned());
    }
    Ok(match (has_beginning, is_drive || is_start) {
        (true, true) => format!("/{rest}"),
        (true, false) => format!("**/{rest}"),
        // It begins within the name of a folder.
        (false, _) => format!("**/*{rest}"),
    })
}

/// The one text that an expression stands for, and whether it says that nothing follows.
fn literal(regex: &str) -> Result<(String, bool), String> {
    let mut out = String::new();
    let mut chars = regex.chars().peekable();
    while let Some(at) = chars.next() {
        match at {
            '\\' => match chars.next() {
                Some(sign) if sign.is_ascii_punctuation() => out.push(sign),
                Some(class) => return Err(format!("`\\{class}` in it stands for more than one text")),
                None => return Err("it ends in the middle of an escape".to_owned()),
            },
            '$' if chars.peek().is_none() => return Ok((out, true)),
            sign if SIGNS.contains(sign) => return Err(format!("`{sign}` in it stands for more than one text")),
            plain => out.push(plain),
        }
    }
    Ok((out, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_one_path_is_that_path() {
        for (regex, is) in [
            (r"/Library/LaunchDaemons/com\.adobe\.update\.plist", "**/Library/LaunchDaemons/com.adobe.update.plist"),
            (r"^/var/tmp/ext4$", "/var/tmp/ext4"),
            (r"(?i)C:\\TEMP\\MKATZ\.EXE", "/TEMP/MKATZ.EXE"),
            (r":\\ProgramData\\gather\.bat", "/ProgramData/gather.bat"),
            (r"\\config\\SystemAudit\.Evt", "**/config/SystemAudit.Evt"),
            (r"ystem32\\svcstat\.exe$", "**/*ystem32/svcstat.exe"),
        ] {
            assert_eq!(path(regex).as_deref(), Ok(is), "{regex}");
        }
    }

    #[test]
    fn what_stands_for_more_is_told() {
        for (regex, why) in [
            (r"\\usbclass\.sys", "a file's name alone"),
            (r"C:\\x\.exe", "a file's name alone"),
            (r"\\Temp\\adobe_sl.exe", "`.` in it"),
            (r"/tmp/\.ur-", "where the file's name ends"),
            (r"ProgramData\\Mail\\", "a folder"),
            (r"\\(a|b)\\c\.exe", "`(` in it"),
            (r"/tmp/\d\.sh", r"`\d` in it"),
            (r"C:\TEMP\x", r"`\T` in it"),
            ("/tmp/x\\", "in the middle of an escape"),
            ("/tmp/x$y", "`$` in it"),
            ("", "a folder"),
        ] {
            assert!(path(regex).is_err_and(|told| told.contains(why)), "{regex}: {:?}", path(regex));
        }
    }
}
