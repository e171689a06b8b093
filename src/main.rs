//! `pysweep`: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pysweep::run(std::env::args_os()).number())
}
