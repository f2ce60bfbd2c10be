using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Usage;

/// <summary>What is not a command line of the tool: exit code 2, one line on standard error, nothing on standard output, nothing attempted.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData]
    [InlineData("bogus")]
    [InlineData("--bogus")]
    [InlineData("id", "extra")]
    [InlineData("id", "--bogus")]
    [InlineData("init", "--name")]
    [InlineData("--home")]
    [InlineData("schema")]
    [InlineData("schema", "check")]
    [InlineData("schema", "bogus")]
    [InlineData("doc")]
    [InlineData("doc", "create")]
    [InlineData("doc", "show")]
    [InlineData("doc", "watch")]
    [InlineData("doc", "export-voided")]
    [InlineData("doc", "withdraw", "doc_x", "now")]
    [InlineData("doc", "set", "doc_x", ".title")]
    [InlineData("doc", "insert", "doc_x", ".tasks", "1")]
    [InlineData("doc", "insert", "doc_x", ".tasks", "-1", "{}")]
    [InlineData("doc", "insert", "doc_x", ".tasks", "one", "{}")]
    [InlineData("doc", "insert", "doc_x", ".tasks", "99999999999", "{}")]
    [InlineData("doc", "move", "doc_x", ".tasks", "0")]
    [InlineData("grant", "doc_x", "acct_x")]
    [InlineData("grant", "doc_x", "acct_x", "everything")]
    [InlineData("grant", "doc_x", "acct_x", "Write")]
    [InlineData("revoke", "doc_x")]
    [InlineData("invite", "doc_x")]
    [InlineData("accept")]
    [InlineData("cloudpeer")]
    [InlineData("cloudpeer", "add")]
    [InlineData("cloudpeer", "move", "a")]
    [InlineData("sync", "--once", "--watch")]
    [InlineData("sync", "--timeout", "soon")]
    [InlineData("sync", "--timeout", "0")]
    [InlineData("sync", "--timeout", "-3")]
    [InlineData("sync", "--timeout", "NaN")]
    [InlineData("export")]
    [InlineData("completion", "tcsh")]
    public async Task WrongUsage_IsOneLineAndExitCode2(params string[] args)
    {
        using var person = Person.Inside();
        var run = (await person.RunAsync(args)).Failed("bad-argument", exitCode: 2);
        Assert.Empty(run.Output);
        Assert.False(Directory.Exists(person.Home));
    }

    [Fact]
    public async Task AnArgumentThatBeginsWithAnAtSign_IsNoResponseFile()
    {
        using var person = Person.Inside();
        await File.WriteAllTextAsync(person.File("words"), "id", TestContext.Current.CancellationToken);
        (await person.RunAsync("@" + person.File("words"))).Failed("bad-argument", exitCode: 2);
        (await person.RunAsync("schema", "check", "@" + person.File("words"))).Failed("input-output");
    }

    [Fact]
    public async Task Help_ShowsUsageAndExamples()
    {
        using var person = Person.Inside();
        var root = (await person.RunAsync("--help")).Done().Output;
        foreach (var command in (string[])["init", "id", "schema", "doc", "grant", "revoke", "grants", "invite", "invites", "accept", "decline", "cloudpeer", "sync", "status", "export", "import"])
            Assert.Contains($"\n  {command} ", root, StringComparison.Ordinal);
        Assert.Contains("Examples:\n  tlfs init", root, StringComparison.Ordinal);

        var set = (await person.RunAsync("doc", "set", "--help")).Done().Output;
        Assert.Contains(" doc set <DOC> <PATH> <JSON> [options]", set, StringComparison.Ordinal);
        Assert.Contains("Examples:\n  tlfs doc set", set, StringComparison.Ordinal);
        Assert.Contains("export-voided", (await person.RunAsync("doc", "--help")).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_IsTheProducts()
    {
        using var person = Person.Inside();
        Assert.Matches(@"^tlfs \d+\.\d+\.\d+\n$", (await person.RunAsync("--version")).Done().Output);
        Assert.Matches(@"^\d+\.\d+\.\d+$", (await person.JsonAsync("--version")).Text("version"));
    }

    [Theory]
    [InlineData("bash", "complete -o default")]
    [InlineData("zsh", "#compdef tlfs")]
    [InlineData("fish", "complete -c tlfs")]
    public async Task Completion_IsAScriptThatAsksTheTool(string shell, string content)
    {
        using var person = Person.Inside();
        var script = (await person.RunAsync("completion", shell)).Done().Output;
        Assert.Contains(content, script, StringComparison.Ordinal);
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suggest_ListsWordsThatFit()
    {
        var run = (await Person.InsideAsync("", ["[suggest:11]", "tlfs doc cr"])).Done();
        Assert.Equal(["create"], run.Lines);
    }
}
