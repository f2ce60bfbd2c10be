using System.Text.Json;
using System.Text.RegularExpressions;
using CloudPeer.TestKit;
using Xunit;

namespace Tlfs.Cli.Tests.Support;

/// <summary>How a run of the tool ended, with the checks that hold for every run.</summary>
public sealed record Run(string CommandLine, int ExitCode, string Output, string Error)
{
    private static readonly Regex FailureLine = new(@"^tlfs: \S.* \[(?<reason>[a-z]+(-[a-z]+)*)\]\n$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));

    /// <summary>A finished process.</summary>
    public static Run Of(string commandLine, ProcessResult result) => new(commandLine, result.ExitCode, result.StandardOutput, result.StandardError);

    /// <summary>The lines of standard output.</summary>
    public string[] Lines => Output.Length == 0 ? [] : Output.TrimEnd('\n').Split('\n');

    /// <summary>The one line of standard output of a run that succeeded.</summary>
    public string Line => Assert.Single(Done().Lines);

    /// <summary>The one JSON line of a run that succeeded.</summary>
    public JsonElement Json => Assert.Single(Done().JsonLines);

    /// <summary>Standard output as JSON lines.</summary>
    public IReadOnlyList<JsonElement> JsonLines => [.. Lines.Select(line => JsonElement.Parse(line))];

    /// <summary>This run, which succeeded and complained of nothing.</summary>
    public Run Done()
    {
        Assert.True(ExitCode == 0 && Error.Length == 0, ToString());
        return this;
    }

    /// <summary>This run, which failed in the one way in which the tool fails.</summary>
    public Run Failed(string reason, int exitCode = 1)
    {
        var match = FailureLine.Match(Error);
        Assert.True(match.Success && ExitCode == exitCode, ToString());
        Assert.True(string.Equals(match.Groups["reason"].Value, reason, StringComparison.Ordinal), $"wanted [{reason}]: {this}");
        Assert.DoesNotContain('\u001b', Output);
        return this;
    }

    /// <summary>A string member of the one JSON line.</summary>
    public string Text(string member) => Json.GetProperty(member).GetString() ?? throw new InvalidOperationException($"{member} is null: {this}");

    /// <inheritdoc/>
    public override string ToString() => $"tlfs {CommandLine}: exit code {ExitCode}\n--- standard output\n{Output}\n--- standard error\n{Error}";
}
