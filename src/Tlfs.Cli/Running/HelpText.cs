using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Tlfs.Cli.Running;

/// <summary>The help of a command with examples below it.</summary>
/// <param name="standard">Writes what is above the examples.</param>
internal sealed class HelpText(HelpAction standard) : SynchronousCommandLineAction
{
    private static readonly string[] FirstSteps =
    [
        "tlfs init --name laptop",
        "tlfs schema add todoapp.tlfs",
        "tlfs doc create todoapp",
        "tlfs doc insert doc_… .tasks 0 '{\"title\":\"milk\"}'",
        "tlfs cloudpeer add https://cloud.example",
        "tlfs grant doc_… acct_… write",
        "tlfs invite doc_… acct_…",
        "tlfs sync",
    ];

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        standard.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var examples = Examples(parseResult.CommandResult.Command);
        if (examples.Count == 0) return ExitCode.Done;
        output.WriteLine("Examples:");
        foreach (var example in examples) output.WriteLine($"  {example}");
        output.WriteLine();
        return ExitCode.Done;
    }

    private static IReadOnlyList<string> Examples(Command command) => command switch
    {
        Verb verb => verb.Examples,
        RootCommand => FirstSteps,
        _ => [.. command.Subcommands.OfType<Verb>().SelectMany(each => each.Examples.Take(1))],
    };
}
