using CloudPeer.TestKit;
using Tlfs.Cli.Running;
using Xunit;

namespace Tlfs.Cli.Tests.Support;

/// <summary>One replica in a folder of its own, worked on with the tool: inside the test's process, or by the real program.</summary>
public sealed class Person : IDisposable
{
    private static readonly Lazy<string> Tool = new(() => RepositoryRoot.BuiltAssembly("src/Tlfs.Cli", "tlfs"));
    private readonly TempFolder _folder;
    private readonly bool _real;

    private Person(string name, bool real)
    {
        _folder = new TempFolder(name);
        _real = real;
    }

    /// <summary>The replica's folder.</summary>
    public string Home => _folder.File("home");

    /// <summary>True to let a failure of the real program say all it knows (<c>TLFS_DEBUG=1</c>).</summary>
    public bool TellsAll { get; init; }

    /// <summary>A file beside the replica.</summary>
    public string File(params string[] names) => _folder.File(names);

    /// <summary>A person without a replica, for tests of commands: the tool runs inside the test.</summary>
    public static Person Inside(string name = "inside") => new(name, real: false);

    /// <summary>A person without a replica whose every command is a process of its own.</summary>
    public static Person Real(string name, bool tellsAll = false) => new(name, real: true) { TellsAll = tellsAll };

    /// <summary>A person with a replica and the tour's schema; the tool runs inside the test.</summary>
    public static async Task<Person> ReadyAsync(string name = "ready", bool real = false)
    {
        var person = new Person(name, real);
        (await person.RunAsync("init", "--name", name)).Done();
        (await person.RunAsync("schema", "add", Schemas.WriteTour(person))).Done();
        return person;
    }

    /// <summary>Runs the tool on this replica.</summary>
    public Task<Run> RunAsync(params string[] args) => FeedAsync("", args);

    /// <summary>Runs the tool with machine output on this replica.</summary>
    public Task<Run> JsonAsync(params string[] args) => FeedAsync("", ["--json", .. args]);

    /// <summary>Runs the tool on this replica with text on its standard input.</summary>
    public async Task<Run> FeedAsync(string input, params string[] args)
    {
        string[] all = ["--home", Home, .. args];
        return _real ? Run.Of(string.Join(' ', args), await ProcessRunner.RunAsync(Spec(all) with { Input = input }, TestContext.Current.CancellationToken)) : await InsideAsync(input, all);
    }

    /// <summary>Starts the real program and leaves it running.</summary>
    public ServerProcess Start(params string[] args) => ServerProcess.Start(Spec(["--home", Home, .. args]));

    /// <summary>Makes a document of the tour's schema and returns its id.</summary>
    public async Task<string> NewDocumentAsync() => (await JsonAsync("doc", "create", "todoapp")).Text("doc");

    /// <summary>One transaction.</summary>
    public Task<Run> EditAsync(string document, params IEnumerable<string> lines) => FeedAsync(string.Join('\n', lines), "--json", "doc", "edit", document);

    /// <summary>The document, or a part of it, as it is printed.</summary>
    public async Task<string> ShowAsync(string document, string path = ".") => (await RunAsync("doc", "show", document, path)).Done().Output;

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    /// <summary>Runs the tool inside the test.</summary>
    public static async Task<Run> InsideAsync(string input, string[] args, Func<string, string?>? variable = null)
    {
        using var reader = new StringReader(input);
        await using var output = new StringWriter { NewLine = "\n" };
        await using var error = new StringWriter { NewLine = "\n" };
        var streams = new Streams(reader, output, error, variable ?? (_ => null));
        var exitCode = await Running.Tool.RunAsync(args, streams, TimeProvider.System, TestContext.Current.CancellationToken);
        return new(string.Join(' ', args), exitCode, output.ToString(), error.ToString());
    }

    private ProcessSpec Spec(IEnumerable<string> args) => ProcessSpec.Dotnet(Tool.Value, args).With("TLFS_DEBUG", TellsAll ? "1" : null);
}
