using System.Text.RegularExpressions;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Offline;

/// <summary><c>init</c>, <c>id</c>, <c>export</c>, <c>import</c> without any server.</summary>
public sealed class ReplicaTests
{
    private const string Id = "[a-z2-7]{52}";

    [Fact]
    public async Task Init_PrintsKeysAndTheWordsOnce()
    {
        using var person = Person.Inside();
        var made = (await person.JsonAsync("init", "--name", "laptop")).Json;
        Same.Members(made, "peer", "account", "recovery");
        Matches($"^peer_{Id}$", made.GetProperty("peer").GetString());
        Matches($"^acct_{Id}$", made.GetProperty("account").GetString());
        Matches("^[a-z]+( [a-z]+){11}$", made.GetProperty("recovery").GetString());

        var shown = (await person.JsonAsync("id")).Json;
        Same.Members(shown, "peer", "account", "name");
        Assert.Equal(made.GetProperty("peer").GetString(), shown.GetProperty("peer").GetString());
        Assert.Equal(made.GetProperty("account").GetString(), shown.GetProperty("account").GetString());
        Assert.Equal("laptop", shown.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Init_TellsAPersonWhatToDoNext()
    {
        using var person = Person.Inside();
        var text = (await person.RunAsync("init")).Done().Output;
        Assert.Contains("Recovery phrase:", text, StringComparison.Ordinal);
        Assert.Contains("tlfs export", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);

        using var quiet = Person.Inside();
        var brief = (await quiet.RunAsync("--quiet", "init")).Done().Output;
        Assert.Contains("Recovery phrase:", brief, StringComparison.Ordinal);
        Assert.DoesNotContain("Next:", brief, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHome_IsPrivate()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Windows has no file modes");
        if (OperatingSystem.IsWindows()) return;
        using var person = await Person.ReadyAsync();
        await person.NewDocumentAsync();
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(default, File.GetUnixFileMode(person.Home) & others);
        foreach (var file in Directory.GetFileSystemEntries(person.Home, "*", SearchOption.AllDirectories))
            Assert.Equal(default, File.GetUnixFileMode(file) & others);
    }

    [Fact]
    public async Task ExportAndImport_CarryEverything()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.EditAsync(document, """{"op":"set","path":".title","value":"kept"}""")).Done();
        await File.WriteAllTextAsync(person.File("secret"), "correct horse\nsecond line\n", TestContext.Current.CancellationToken);
        (await person.RunAsync("export", person.File("replica"), "--passphrase-file", person.File("secret"))).Done();
        Assert.DoesNotContain("kept", await File.ReadAllTextAsync(person.File("replica"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        using var other = Person.Inside();
        var restored = (await other.FeedAsync("correct horse\n", "--json", "import", person.File("replica"))).Json;
        Assert.Equal((await person.JsonAsync("id")).Text("peer"), restored.GetProperty("peer").GetString());
        Assert.Equal(1, restored.GetProperty("documents").GetInt32());
        Assert.Equal(await person.ShowAsync(document), await other.ShowAsync(document));
    }

    [Fact]
    public async Task Import_RefusesWhatItCannotUse()
    {
        using var person = await Person.ReadyAsync();
        var file = person.File("replica");
        (await person.FeedAsync("", "export", file)).Failed("bad-argument");
        (await person.FeedAsync("right\n", "export", file)).Done();
        Assert.Empty((await person.FeedAsync("right\n", "import", file)).Failed("already-initialised").Output);

        using var other = Person.Inside();
        (await other.FeedAsync("wrong\n", "import", file)).Failed("wrong-passphrase");
        (await other.FeedAsync("right\n", "import", file + "-missing")).Failed("input-output");
        (await other.RunAsync("id")).Failed("not-initialised");
        (await other.FeedAsync("right\n", "import", file)).Done();
        (await person.FeedAsync("right\n", "export", person.File("no", "such", "folder"))).Failed("input-output");
    }

    private static void Matches(string pattern, string? text) => Assert.Matches(new Regex(pattern, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)), text);
}
