//! The program under test.

fn main() -> std::process::ExitCode {
    sg_server::command::main()
}
