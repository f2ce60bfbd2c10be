using Tlfs.Cli.Running;
using Tlfs.Cli.Tests.Support;
using Tlfs.Core;
using Xunit;

namespace Tlfs.Cli.Tests.Usage;

/// <summary>Every way to fail is one line with a stable reason.</summary>
public sealed class FailureTests
{
    public static TheoryData<Exception, string> Exceptions => new()
    {
        { new TlfsException(Reason.PathNotFound, "the schema has no .x"), "tlfs: the schema has no .x [path-not-found]" },
        { new TlfsException(Reason.SchemaError, "a:1:1: two\nlines \u001b[31mand colour"), "tlfs: a:1:1: two lines [31mand colour [schema-error]" },
        { new OperationCanceledException(), "tlfs: the time limit passed [timeout]" },
        { new IOException("No space left on device", 28), "tlfs: the disk is full; make room and try again [storage-full]" },
        { new IOException("Access denied"), "tlfs: Access denied [input-output]" },
        { new UnauthorizedAccessException("Access denied"), "tlfs: Access denied [input-output]" },
        { new InvalidOperationException("secret"), "tlfs: an unexpected error (InvalidOperationException): please report it; with TLFS_DEBUG=1 the tool says more [internal]" },
    };

    [Theory]
    [MemberData(nameof(Exceptions), DisableDiscoveryEnumeration = true)]
    public void AnException_IsOneLine(Exception exception, string line) => Assert.Equal(line, Failure.Of(exception).ToString());

    [Fact]
    public async Task WithoutAHome_TheVariableNamesIt()
    {
        using var person = Person.Inside();
        string? Variable(string name) => name is "TLFS_HOME" ? person.Home : null;
        (await Person.InsideAsync("", ["init"], Variable)).Done();
        Assert.Equal((await person.JsonAsync("id")).Text("peer"), (await Person.InsideAsync("", ["id", "--json"], Variable)).Text("peer"));
    }

    [Theory]
    [InlineData("id")]
    [InlineData("schema", "add", "{schema}")]
    [InlineData("doc", "create", "todoapp")]
    [InlineData("doc", "list")]
    [InlineData("doc", "show", "doc_aaaaaaaa")]
    [InlineData("grants", "doc_aaaaaaaa")]
    [InlineData("invites")]
    [InlineData("cloudpeer", "list")]
    [InlineData("cloudpeer", "add", "http://localhost:1")]
    [InlineData("sync")]
    [InlineData("status")]
    [InlineData("export", "{file}")]
    public async Task WithoutInit_NothingElseWorks(params string[] args)
    {
        using var person = Person.Inside();
        var schema = Schemas.WriteTour(person);
        var run = await person.RunAsync([.. args.Select(arg => arg switch { "{schema}" => schema, "{file}" => person.File("x"), _ => arg })]);
        Assert.Empty(run.Failed("not-initialised").Output);
        Assert.False(Directory.Exists(person.Home), "a command that only looks made the folder");
    }

    [Fact]
    public async Task AHomeThatIsAFile_IsSaid()
    {
        using var person = Person.Inside();
        await File.WriteAllTextAsync(person.Home, "not a folder", TestContext.Current.CancellationToken);
        (await person.RunAsync("init")).Failed("input-output");
        (await person.RunAsync("id")).Failed("not-initialised");
    }

    [Fact]
    public async Task AHomeThatIsDamaged_IsSaid()
    {
        using var person = await Person.ReadyAsync();
        foreach (var file in Directory.GetFiles(person.Home, "*", SearchOption.AllDirectories))
            await File.WriteAllTextAsync(file, new string('x', 4096), TestContext.Current.CancellationToken);
        var run = await person.RunAsync("doc", "list");
        Assert.Equal(1, run.ExitCode);
        run.Failed("input-output");
    }

    [Fact]
    public async Task InitTwice_IsRefused_AndTheFirstStays()
    {
        using var person = await Person.ReadyAsync();
        var before = (await person.JsonAsync("id")).Output;
        Assert.Empty((await person.RunAsync("init")).Failed("already-initialised").Output);
        Assert.Equal(before, (await person.JsonAsync("id")).Output);
    }
}
