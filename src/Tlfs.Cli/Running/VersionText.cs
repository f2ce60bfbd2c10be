using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Tlfs.Cli.Running;

/// <summary><c>tlfs --version</c>.</summary>
internal sealed class VersionText(Streams streams) : SynchronousCommandLineAction
{
    /// <summary>The version of the tool, without the commit.</summary>
    public static string Text { get; } = (typeof(VersionText).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var printer = new Printer(streams, parseResult.GetValue(GlobalOptions.Json), quiet: false);
        printer.Result(json => json.WriteString("version", Text), $"tlfs {Text}");
        return ExitCode.Done;
    }
}
