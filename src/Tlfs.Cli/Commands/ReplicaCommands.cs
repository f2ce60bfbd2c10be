using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Client;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs init|id</c>.</summary>
internal static class ReplicaCommands
{
    private const int WordsPerLine = 4;

    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() => [Init(), WhoAmI()];

    private static Verb Init()
    {
        var name = new Option<string?>("--name") { Description = "A name for this replica that only you see, such as laptop.", HelpName = "TEXT" };
        return new("init", "Make a new replica: a device key, an account and its recovery phrase.", ["tlfs init --name laptop", "tlfs --home ./anna init"], async call =>
        {
            var made = await LocalFirst.InitialiseAsync(call.Options, call.Get(name), call.CancellationToken);
            await using var replica = made.Replica;
            call.Print.Result(
                json =>
                {
                    json.WriteString("peer", replica.Peer.ToString());
                    json.WriteString("account", replica.Account.ToString());
                    json.WriteString("recovery", made.RecoveryWords);
                },
                Welcome(replica, made.RecoveryWords));
            call.Print.Hint("""

                Write the words down and keep them apart from this device. They are shown only this once.
                Recovery from the words comes in a later version; until then keep your keys with: tlfs export FILE

                Next: tlfs schema add FILE           the kinds of documents you want
                      tlfs cloudpeer add URL         who keeps and forwards them
                """);
        })
        { name };
    }

    private static Verb WhoAmI() => new("id", "Show who this replica is: what others need to grant you access.", ["tlfs id"], async call =>
    {
        var replica = await call.OpenAsync();
        call.Print.Result(
            json =>
            {
                json.WriteString("peer", replica.Peer.ToString());
                json.WriteString("account", replica.Account.ToString());
                json.WriteString("name", replica.Name);
            },
            $"""
            account  {replica.Account}
            peer     {replica.Peer}
            name     {Failure.OneLine(replica.Name ?? "")}
            """);
        call.Print.Hint("Others grant you access by your account.");
    });

    private static string Welcome(LocalFirst replica, string words) =>
        $"""
        account  {replica.Account}
        peer     {replica.Peer}

        Recovery phrase:
        {string.Join('\n', words.Split(' ').Chunk(WordsPerLine).Select(line => "    " + string.Join(' ', line)))}
        """;
}
