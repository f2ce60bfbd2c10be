using System.Text.RegularExpressions;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Tlfs.Cli.Tests.Support;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;
using V1 = CloudPeer.V1;

namespace Tlfs.Cli.Tests.Keys;

/// <summary>
/// Keys never leave: whatever the real tool and the real server print at the trace level, exceptions included, whatever the server stores, and what
/// is exported, holds none of the keys that were used.
/// </summary>
public sealed class KeysStayTests
{
    private const string Passphrase = "a passphrase of four words";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_key_is_in_what_the_programs_print_log_or_send()
    {
        await using var server = await Server.StartAsync(("CLOUDPEER_LOG_LEVEL", "trace"), ("CLOUDPEER_LOG_FORMAT", "text"));
        using var anna = Person.Real("anna", tellsAll: true);
        using var bob = Person.Real("bob", tellsAll: true);
        var printed = new List<Run>();
        var words = await WalkAsync(server, anna, bob, printed);

        var scan = new SecretScan();
        using var device = ReplicaSecrets.Collect(anna.Home, "anna", scan);
        using var other = ReplicaSecrets.Collect(bob.Home, "bob", scan);
        using var identity = ServerIdentity(server);
        using var mac = identity.Derive(Label.SessionMac);
        scan.Add("the server's seed", identity.Seed);
        scan.Add("the server's session key", mac.Bytes);
        scan.Add("the passphrase", Passphrase);
        await CallAsync(server, device, scan);
        await server.KillAsync();

        Assert.InRange(scan.Names.Count, 15, int.MaxValue);
        // The words are printed once, to be written down; nothing else is, and they are nowhere else.
        Assert.All(printed, run => Assert.Empty(scan.FindIn(run.ToString())));
        for (var i = 0; i < words.Length; i++) scan.Add($"recovery words {i}", words[i]);
        Assert.All(printed.Skip(words.Length), run => Assert.Empty(scan.FindIn(run.ToString())));
        Assert.Empty(scan.FindIn(server.Output));
        Assert.Contains(" VRB ", server.Output, StringComparison.Ordinal);
        Assert.Contains(printed, run => run.Error.Contains("   at Tlfs.", StringComparison.Ordinal));

        var files = Directory.GetFiles(server.DataFolder, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) is not "identity.key").ToArray();
        Assert.Contains(files, file => file.EndsWith("relay.db-wal", StringComparison.Ordinal));
        foreach (var file in files.Append(anna.File("export"))) Assert.Empty(scan.FindIn(await File.ReadAllBytesAsync(file, Cancel)));

        // The search finds these very keys where they have to be.
        Assert.NotEmpty(scan.FindIn(await File.ReadAllBytesAsync(Path.Combine(anna.Home, "replica.db"), Cancel)));
        Assert.Contains("the server's seed as base32", scan.FindIn(await File.ReadAllBytesAsync(Path.Combine(server.DataFolder, "identity.key"), Cancel)), StringComparer.Ordinal);
    }

    // The tour, and everything that can be done wrong on the way. Returns the recovery words of both, whose commands were the first two.
    private static async Task<string[]> WalkAsync(Server server, Person anna, Person bob, List<Run> printed)
    {
        string[] words = [.. await Task.WhenAll(((Person[])[anna, bob]).Select(async person =>
        {
            var run = await person.JsonAsync("init", "--name", "x");
            lock (printed) printed.Add(run);
            return run.Text("recovery");
        }))];

        async Task<Run> On(Person person, params string[] args)
        {
            var run = await person.JsonAsync(args);
            printed.Add(run);
            return run;
        }

        foreach (var person in (Person[])[anna, bob]) (await On(person, "cloudpeer", "add", server.Url)).Done();
        var account = (await On(bob, "id")).Text("account");
        (await On(anna, "schema", "add", Schemas.WriteTour(anna))).Done();
        var document = (await On(anna, "doc", "create", "todoapp")).Text("doc");
        (await On(anna, "doc", "set", document, ".title", "\"one\"")).Done();
        var grant = (await On(anna, "grant", document, account, "write")).Text("grant");
        (await On(anna, "invite", document, account)).Done();
        await On(anna, "sync");
        await On(bob, "sync");
        var invite = (await On(bob, "invites")).Json.GetProperty("invite").GetString()!;
        (await On(bob, "accept", invite)).Done();
        (await On(bob, "sync")).Done();
        (await On(bob, "doc", "set", document, ".title", "\"two\"")).Done();
        (await On(bob, "sync")).Done();
        (await On(anna, "sync")).Done();
        (await On(anna, "revoke", document, grant)).Done();
        (await On(anna, "doc", "set", document, ".title", "\"three\"")).Done();
        (await On(anna, "sync")).Done();
        foreach (var command in (string[])["grants", "doc log", "doc verify", "doc show", "doc export-voided"]) await On(anna, [.. command.Split(' '), document]);
        await File.WriteAllTextAsync(anna.File("passphrase"), Passphrase + "\n", Cancel);
        (await On(anna, "export", anna.File("export"), "--passphrase-file", anna.File("passphrase"))).Done();

        // Failures tell all they know, with TLFS_DEBUG=1.
        await On(anna, "import", anna.File("export"), "--passphrase-file", anna.File("passphrase"));
        await File.WriteAllTextAsync(anna.File("other"), "another passphrase\n", Cancel);
        await On(bob, "import", anna.File("export"), "--passphrase-file", anna.File("other"));
        await On(bob, "doc", "set", document, ".title", "\"four\"");
        await On(bob, "sync");
        await On(anna, "doc", "set", document, ".nowhere", "1");
        await On(anna, "accept", invite);
        await On(anna, "init");
        await On(anna, "cloudpeer", "add", "http://localhost:1");
        return words;
    }

    // A session of this test, so that one token is known as it is; and calls with a token that is broken.
    private static async Task CallAsync(Server server, SigningKey device, SecretScan scan)
    {
        using var channel = GrpcChannel.ForAddress(Regex.Match(server.Output, @"grpc=(?<url>\S+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)).Groups["url"].Value);
        var session = await SessionCalls.OpenAsync(new(channel), device, null, SystemEntropy.Instance, TimeProvider.System, new(cancellationToken: Cancel));
        scan.Add("a token", session.Token);
        var accounts = new V1.Account.AccountClient(channel);
        await accounts.GetEntitlementAsync(new(), new CallOptions(session.Metadata, cancellationToken: Cancel));
        var broken = new Metadata { { "authorization", "Bearer " + session.Token[..^1] + "!" } };
        await Assert.ThrowsAsync<RpcException>(async () => await accounts.GetEntitlementAsync(new(), new CallOptions(broken, cancellationToken: Cancel)));
        scan.Add("the beginning of a token", session.Token[..^1]);
    }

    private static SigningKey ServerIdentity(Server server)
    {
        var seed = new byte[SecretKey.Size];
        Assert.True(Base32.TryDecode(File.ReadAllLines(Path.Combine(server.DataFolder, "identity.key"))[1].AsSpan("seed ".Length), seed));
        return new(seed);
    }
}
