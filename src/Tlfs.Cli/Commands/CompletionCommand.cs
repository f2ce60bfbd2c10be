using System.CommandLine;
using Tlfs.Cli.Running;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs completion</c>: scripts that make a shell complete the tool's words by asking the tool.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _tlfs_complete() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _tlfs_complete tlfs
        """;

    private const string Zsh = """
        #compdef tlfs
        _tlfs() {
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -a found || _files
        }
        compdef _tlfs tlfs
        """;

    private const string Fish = """
        complete -c tlfs -a '(tlfs "[suggest:"(commandline -C)"]" (commandline -b) 2>/dev/null)'
        """;

    /// <summary>The command.</summary>
    public static Verb Completion()
    {
        var shell = new Argument<string>("SHELL") { HelpName = "SHELL", Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        string[] examples = ["source <(tlfs completion bash)", "tlfs completion fish > ~/.config/fish/completions/tlfs.fish"];
        return new("completion", "Print a script that makes a shell complete this tool's words.", examples, call =>
        {
            call.Print.Raw(call.Get(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Task.CompletedTask;
        })
        { shell };
    }
}
