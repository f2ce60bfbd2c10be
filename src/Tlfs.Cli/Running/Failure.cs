using System.Text;
using Tlfs.Core;

namespace Tlfs.Cli.Running;

/// <summary>Exit codes of the tool.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Refused or failed; one line on standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line is not one of the tool; nothing was attempted.</summary>
    public const int WrongUsage = 2;

    /// <summary>A person or a service manager asked the tool to stop.</summary>
    public const int Interrupted = 130;
}

/// <summary>Why a command failed: a stable reason and one sentence.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Sentence">What happened and what to do, for a person.</param>
internal readonly record struct Failure(Reason Reason, string Sentence)
{
    // errno ENOSPC, EDQUOT and EFBIG, and their Windows counterpart ERROR_DISK_FULL.
    private static readonly int[] NoSpace = [28, 122, 27, unchecked((int)0x80070070)];

    /// <summary>Maps whatever a command threw. Only a bug is <see cref="Reason.Internal"/>.</summary>
    public static Failure Of(Exception exception) => exception switch
    {
        TlfsException refused => new(refused.Reason, refused.Message),
        OperationCanceledException => new(Reason.Timeout, "the time limit passed"),
        IOException io when NoSpace.Contains(io.HResult) => new(Reason.StorageFull, "the disk is full; make room and try again"),
        IOException or UnauthorizedAccessException => new(Reason.InputOutput, exception.Message),
        _ => new(Reason.Internal, $"an unexpected error ({exception.GetType().Name}): please report it; with TLFS_DEBUG=1 the tool says more"),
    };

    /// <summary>The line for standard error.</summary>
    public override string ToString() => $"tlfs: {OneLine(Sentence)} [{Reason.ToKebab()}]";

    /// <summary>Text from elsewhere on one line, without anything that a terminal would obey.</summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (!char.IsControl(letter)) line.Append(letter);
            else if (line.Length > 0 && line[^1] != ' ') line.Append(' ');
        }

        return line.ToString().Trim();
    }
}
