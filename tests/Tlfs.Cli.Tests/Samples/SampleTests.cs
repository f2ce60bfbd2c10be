using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Samples;

/// <summary>What the samples promise, they do.</summary>
public sealed class SampleTests(SharedServer shared)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheTourScript_Runs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the script needs bash");
        var server = await shared.GetAsync();
        var tool = ProcessSpec.Dotnet(RepositoryRoot.BuiltAssembly("src/Tlfs.Cli", "tlfs"));
        var script = new ProcessSpec("bash", [RepositoryRoot.PathOf("samples", "tour.sh"), server.Url]).With("TLFS", tool.ToString());
        var result = (await ProcessRunner.RunAsync(script, Cancel)).EnsureSuccess();
        Assert.Empty(result.StandardError);
        Assert.EndsWith("# Both see the same document, byte for byte, and the server could read none of it.\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("""{"people":{},"tasks":[{"complete":true,"title":"milk"},{"complete":false,"title":"bread"}],"title":"Shopping"}""", result.StandardOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheTodoApp_SharesAList()
    {
        var server = await shared.GetAsync();
        using var folder = new TempFolder("todo");
        Task<ProcessResult> Anna(params string[] words) => TodoAsync(folder.File("anna"), words);
        Task<ProcessResult> Bob(params string[] words) => TodoAsync(folder.File("bob"), words);

        await Anna("add", "milk");
        await Anna("add", "bread");
        Assert.Equal(["  1 [ ] bread", "  2 [ ] milk"], (await Anna("move", "2", "1")).OutputLines, StringComparer.Ordinal);
        await Anna("connect", server.Url);
        var bob = (await Bob("connect", server.Url)).OutputLines[0];
        await Anna("share", bob);
        Assert.Equal(["  1 [ ] bread", "  2 [ ] milk"], (await Bob("join")).OutputLines.TakeLast(2), StringComparer.Ordinal);
        await Bob("done", "2");
        await Bob("sync");
        await Anna("sync");
        Assert.Equal(["  1 [ ] bread", "  2 [x] milk"], (await Anna("list")).OutputLines, StringComparer.Ordinal);
        Assert.Equal(["  1 [x] milk"], (await Anna("remove", "1")).OutputLines, StringComparer.Ordinal);
    }

    [Fact]
    public async Task TheTodoApp_SaysWhatItCannotDo()
    {
        using var folder = new TempFolder("todo");
        var refused = await ProcessRunner.RunAsync(TodoSpec(folder.File("anna"), "done", "7"), Cancel);
        Assert.Equal((1, ""), (refused.ExitCode, refused.StandardOutput));
        Assert.Matches(@"^todo: .* \[index-out-of-range\]\n$", refused.StandardError);
        Assert.Equal(2, (await ProcessRunner.RunAsync(TodoSpec(folder.File("anna"), "dance"), Cancel)).ExitCode);
    }

    [Fact]
    public async Task TheNodeSample_ChecksALogThatItCannotRead()
    {
        var server = await shared.GetAsync();
        using var anna = await Person.ReadyAsync("anna");
        (await anna.RunAsync("cloudpeer", "add", server.Url)).Done();
        var document = await anna.NewDocumentAsync();
        (await anna.RunAsync("doc", "set", document, ".title", "\"secret\"")).Done();
        ProcessSpec Pull(params string[] words) => NodeFolder.Spec("samples/node", "pull.js", words).With("CLOUDPEER_NODE_HOME", anna.File("node"));

        var peer = (await ProcessRunner.RunAsync(Pull(), Cancel)).EnsureSuccess().OutputLines.Single();
        (await anna.RunAsync("sync")).Done();
        var stranger = await ProcessRunner.RunAsync(Pull(server.Url, document), Cancel);
        (await anna.RunAsync("grant", document, peer, "sync")).Done();
        (await anna.RunAsync("sync")).Done();
        var member = (await ProcessRunner.RunAsync(Pull(server.Url, document), Cancel)).EnsureSuccess();

        Assert.Equal((1, "", "pull: There is no such document here, or you may not know of it.\n"), (stranger.ExitCode, stranger.StandardOutput, stranger.StandardError));
        var log = (await anna.JsonAsync("doc", "log", document)).Done().JsonLines;
        var expected = log.Select((entry, at) => $"{at} {entry.GetProperty("type").GetString()} {entry.GetProperty("author").GetString()} {entry.GetProperty("envelope").GetString()}");
        Assert.Equal(expected, member.OutputLines.SkipLast(1), StringComparer.Ordinal);
        var head = (await anna.JsonAsync("sync")).Done().JsonLines.Single(line => string.Equals(line.GetProperty("doc").GetString(), document, StringComparison.Ordinal)).GetProperty("head");
        Assert.Equal($"verified: {log.Count} envelopes, root {head.GetProperty("root").GetString()}, signed by {server.Peer}", member.OutputLines[^1]);
    }

    private static async Task<ProcessResult> TodoAsync(string home, params string[] words) => (await ProcessRunner.RunAsync(TodoSpec(home, words), Cancel)).EnsureSuccess();

    private static ProcessSpec TodoSpec(string home, params string[] words) =>
        ProcessSpec.Dotnet(RepositoryRoot.BuiltAssembly("samples/TodoApp", "todo"), words).With("TODO_HOME", home);
}
