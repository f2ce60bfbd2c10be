using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Generate;

/// <summary>
/// What is checked in is what the tool makes. The files are compiled with the tests and the sample, warnings are errors, and so they are correct C#, nullable
/// annotations included.
/// </summary>
public sealed class GoldenTests
{
    private const string Here = "tests/Tlfs.Cli.Tests/Generate";

    [Theory]
    [InlineData(Here + "/kitchen.tlfs", "kitchen", "Tlfs.Cli.Tests.Generate.Kitchen", Here + "/Kitchen.cs")]
    [InlineData(Here + "/roots.tlfs", "notes", "Tlfs.Cli.Tests.Generate.Roots", Here + "/Root.notes.cs")]
    [InlineData(Here + "/roots.tlfs", "switch", "Tlfs.Cli.Tests.Generate.Roots", Here + "/Root.switch.cs")]
    [InlineData(Here + "/roots.tlfs", "counters", "Tlfs.Cli.Tests.Generate.Roots", Here + "/Root.counters.cs")]
    [InlineData(Here + "/roots.tlfs", "motto", "Tlfs.Cli.Tests.Generate.Roots", Here + "/Root.motto.cs")]
    [InlineData("samples/TodoApp/todoapp.tlfs", "todoapp", "TodoApp", "samples/TodoApp/Todoapp.cs")]
    public async Task Generate_MakesTheSameBytesAgain(string schemaFile, string schema, string space, string expected)
    {
        using var person = Person.Inside();
        var made = person.File("Made.cs");
        (await person.RunAsync("generate", "csharp", PathOf(schemaFile), "--schema", schema, "--namespace", space, "--output", made)).Done();
        Assert.Equal(await ReadAsync(PathOf(expected)), await ReadAsync(made));
    }

    private static string PathOf(string path) => RepositoryRoot.PathOf(path.Split('/'));

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
}
