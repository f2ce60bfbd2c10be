using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Client;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs export|import</c>.</summary>
internal static class ExportCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() => [Export(), Import()];

    private static Verb Export()
    {
        var file = new Argument<string>("FILE") { Description = "The file to make; it must not exist." };
        var passphrase = PassphraseFile();
        string[] examples = ["tlfs export backup.tlfs-replica", "tlfs export backup.tlfs-replica --passphrase-file secret.txt"];
        return new("export", "Save the whole replica, keys included, in a file that only the passphrase opens.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            var secret = await Passphrase.ReadAsync(call.Get(passphrase), call.Streams, twice: true, call.CancellationToken);
            await replica.ExportAsync(call.Get(file), secret, call.CancellationToken);
            call.Print.Result(json => json.WriteString("file", Path.GetFullPath(call.Get(file))), $"Saved as {call.Get(file)}. Keep the file and the passphrase apart.");
            call.Print.Hint("Restore it into an empty folder with: tlfs --home DIR import FILE. Use one copy at a time.");
        })
        { file, passphrase };
    }

    private static Verb Import()
    {
        var file = new Argument<string>("FILE") { Description = "A file that export made." };
        var passphrase = PassphraseFile();
        return new("import", "Restore a replica from an exported file into an empty folder.", ["tlfs --home ./restored import backup.tlfs-replica"], async call =>
        {
            var secret = await Passphrase.ReadAsync(call.Get(passphrase), call.Streams, twice: false, call.CancellationToken);
            await using var replica = await LocalFirst.ImportAsync(call.Options, call.Get(file), secret, call.CancellationToken);
            var documents = await replica.DocumentsAsync(call.CancellationToken);
            call.Print.Result(
                json =>
                {
                    json.WriteString("peer", replica.Peer.ToString());
                    json.WriteString("account", replica.Account.ToString());
                    json.WriteNumber("documents", documents.Count);
                },
                $"Restored {replica.Account} with {documents.Count} documents.");
            call.Print.Hint("Do not go on using the replica that was exported: two with one device key would contradict each other.");
        })
        { file, passphrase };
    }

    private static Option<string?> PassphraseFile() => new("--passphrase-file")
    {
        Description = "A file whose first line is the passphrase; else you are asked, or it is the first line of standard input.",
        HelpName = "FILE",
    };
}
