//! The words for what lines of start-up code are and have.

use crate::model::startup::{Feature, LineClass};

/// What a line of a class does, as the end of a sentence that begins with the line.
#[must_use]
pub fn class_sentence(class: LineClass) -> &'static str {
    match class {
        LineClass::Path => "adds a folder to the import path",
        LineClass::Import => "imports modules",
        LineClass::Namespace => "is the sentence that setuptools writes for namespace packages",
        LineClass::ImportCall => "imports a module and calls it",
        LineClass::Known => "is written like this, word for word, by a packaging tool",
        LineClass::AddSiteDir => "adds site directories, whose own start-up files then run too",
        LineClass::Inline => "runs statements",
        LineClass::Exec => "runs text as code",
        LineClass::Setting => "sets a variable that steers every start of Python",
        LineClass::Module => "is code of a module that Python imports at its start",
    }
}

/// What stands out, as the end of a sentence that begins with "it".
#[must_use]
pub fn sentence(feature: Feature) -> &'static str {
    match feature {
        Feature::Process => "starts a process",
        Feature::Network => "uses the network",
        Feature::CredentialPath => "names a place of credentials",
        Feature::Blob => "holds a long block of encoded text",
        Feature::HiddenCharacters => "has characters that do not show",
        Feature::Indented => "has code pushed out of sight by blanks",
        Feature::ExoticLineEnd => "begins behind a line end that only Python 3.13 and later see",
        Feature::OneDialect => "runs on some Python versions only",
        Feature::Decoder => "decodes data",
        Feature::Native => "calls native code",
        Feature::StringBuilding => "puts text together from pieces",
        Feature::Dynamic => "chooses at run time what to import or call",
        Feature::Address => "names a URL or an address",
        Feature::Files => "reads or writes files",
        Feature::Detached => "goes on in the background",
        Feature::SelfStart => "starts the interpreter again",
        Feature::ComputedExec => "runs text that it computes",
        Feature::LiteralExec => "runs a plain text",
        Feature::LongLine => "has more than 1,000 characters in a line",
        Feature::VeryLongLine => "has more than 4,000 characters in a line",
        Feature::NonAscii => "has characters beyond ASCII",
        Feature::Oversized => "is larger than any honest one; only its beginning was judged",
        Feature::Unread => "could not be read; only its name is known",
        Feature::Undecodable => "is not text that Python can decode",
        Feature::TemporaryPath => "puts a temporary folder on the import path",
        Feature::HiddenPath => "puts a hidden folder on the import path",
        Feature::RelativePath => "puts a folder on the import path that depends on where Python is started",
        Feature::Evaluated => "has a value that is run or imported as it is",
        Feature::Writes => "writes, moves or removes files",
        Feature::Persistence => "writes where programs start by themselves",
        Feature::SecretVariable => "reads secrets from the environment or a key store",
        Feature::Reflection => "reaches Python's own functions by a detour",
        Feature::Beyond => "is nested or long beyond what any honest code is",
        Feature::Unparsed => "is not Python 3; only its words were judged",
        Feature::ForeignBytecode => "is shadowed by bytecode that is not of this source",
        Feature::Silences => "keeps the .pth of the same name from running on Python 3.15 and later",
        Feature::Opaque => "is compiled, so nothing is known of what it does",
    }
}
