using System.Text;

namespace Tlfs.Cli.Running;

/// <summary>What a run of the tool reads and writes: the process's own streams, or a test's.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: results, and nothing else.</param>
/// <param name="Error">Standard error: the one line of a failure, prompts and progress.</param>
/// <param name="Variable">Reads an environment variable.</param>
internal sealed record Streams(TextReader Input, TextWriter Output, TextWriter Error, Func<string, string?> Variable)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>True if a person may type on standard input.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>True if a person reads standard output.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>True if a person reads standard error.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>The streams of this process: UTF-8 without a mark, lines that end in a newline alone, whatever the machine's settings are.</summary>
    public static Streams OfProcess() => new(Process.Input, Process.Output, Process.Error, Environment.GetEnvironmentVariable)
    {
        InputIsTerminal = !Console.IsInputRedirected,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
    };

    // Open for as long as the process runs.
    private static class Process
    {
        public static readonly StreamReader Input = new(Console.OpenStandardInput(), Utf8);
        public static readonly StreamWriter Output = new(Console.OpenStandardOutput(), Utf8) { NewLine = "\n" };
        public static readonly StreamWriter Error = new(Console.OpenStandardError(), Utf8) { NewLine = "\n", AutoFlush = true };
    }
}
