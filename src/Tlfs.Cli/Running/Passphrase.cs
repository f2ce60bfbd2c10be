using System.Text;
using Tlfs.Core;

namespace Tlfs.Cli.Running;

/// <summary>Gets the passphrase of an exported file: from a file, from a person without showing it, or from standard input. Never from an argument, which other users of the machine can see.</summary>
internal static class Passphrase
{
    private const int LimitBytes = 4096;

    /// <summary>The passphrase.</summary>
    /// <param name="file">A file whose first line it is; null to ask.</param>
    /// <param name="streams">Whom to ask.</param>
    /// <param name="twice">A new one is typed twice.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>: it is empty, or the two differ.</exception>
    public static async Task<string> ReadAsync(string? file, Streams streams, bool twice, CancellationToken cancellationToken)
    {
        var passphrase = file is not null ? FirstLine(await InputFile.ReadTextAsync(file, LimitBytes, cancellationToken))
            : streams.InputIsTerminal ? Ask(streams, twice)
            : await streams.Input.ReadLineAsync(cancellationToken) ?? string.Empty;
        return passphrase.Length > 0 ? passphrase : throw new TlfsException(Reason.BadArgument, "the passphrase is empty; give one with --passphrase-file FILE or on standard input");
    }

    private static string Ask(Streams streams, bool twice)
    {
        var first = Prompt(streams, "Passphrase: ");
        if (twice && !string.Equals(first, Prompt(streams, "The same again: "), StringComparison.Ordinal))
            throw new TlfsException(Reason.BadArgument, "the two passphrases differ; nothing was written");
        return first;
    }

    private static string Prompt(Streams streams, string text)
    {
        streams.Error.Write(text);
        var typed = new StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key is not ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key is ConsoleKey.Backspace && typed.Length > 0) typed.Length--;
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        streams.Error.WriteLine();
        return typed.ToString();
    }

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd('\r');
}
