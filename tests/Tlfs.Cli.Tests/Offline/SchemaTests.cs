using System.Text.Json;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Offline;

/// <summary><c>schema check|add</c>.</summary>
public sealed class SchemaTests
{
    [Fact]
    public async Task Check_ListsEveryVersion_WithoutAReplica()
    {
        using var person = Person.Inside();
        var lines = (await person.JsonAsync("schema", "check", Schemas.Write(person, "several.tlfs", Schemas.Several))).Done().JsonLines;
        Same.Texts(["notes 0.1.0", "notes 0.2.0", "flags 1.0.0"], lines.Select(Named));
        foreach (var line in lines)
        {
            Same.Members(line, "schema", "version", "lenses", "hash", "changes");
            Assert.True(line.GetProperty("lenses").GetInt32() > 0);
            Assert.NotEmpty(line.GetProperty("hash").GetString()!);
        }

        Assert.False(Directory.Exists(person.Home));
    }

    [Fact]
    public async Task Check_SaysWhatChangesBetweenVersions()
    {
        using var person = Person.Inside();
        var file = Schemas.Write(person, "todo.tlfs", Schemas.Growing);
        var text = (await person.RunAsync("schema", "check", file)).Done().Output;
        Assert.Contains("todo 0.1.0 -> 0.2.0\n  renames .todos to .tasks\n    0.1.0 keeps seeing .todos, and both edit the same value\n", text, StringComparison.Ordinal);
        Assert.Contains("  adds .tasks.[].done: EWFlag\n    0.1.0 does not see it, and keeps what others write there\n", text, StringComparison.Ordinal);
        Assert.EndsWith("todo 0.2.0 -> 0.3.0: nothing that an app sees\n", text, StringComparison.Ordinal);

        var lines = (await person.JsonAsync("schema", "check", file)).Done().JsonLines;
        Assert.Empty(lines[0].GetProperty("changes").EnumerateArray());
        var changes = lines[1].GetProperty("changes").EnumerateArray().ToList();
        Same.Texts(["renamed", "added", "hidden"], changes.Select(change => change.GetProperty("change").GetString()));
        foreach (var change in changes) Same.Members(change, "change", "before", "after", "type", "text");
    }

    [Fact]
    public async Task Check_ComparesAnyTwoVersions()
    {
        using var person = Person.Inside();
        var file = Schemas.Write(person, "todo.tlfs", Schemas.Growing);
        var forward = (await person.JsonAsync("schema", "check", file, "--from", "0.1.0")).Json;
        Same.Members(forward, "schema", "from", "to", "changes");
        Assert.Equal(("0.1.0", "0.3.0"), (forward.GetProperty("from").GetString(), forward.GetProperty("to").GetString()));
        var back = (await person.RunAsync("schema", "check", file, "--schema", "todo", "--from", "0.3.0", "--to", "0.1.0")).Done().Output;
        Assert.StartsWith("todo 0.3.0 -> 0.1.0\n  shows .note: MVReg<String> again\n", back, StringComparison.Ordinal);
        Assert.Contains("\n  renames .tasks to .todos\n", back, StringComparison.Ordinal);
        (await person.RunAsync("schema", "check", file, "--to", "0.1.0")).Failed("bad-argument");
        (await person.RunAsync("schema", "check", file, "--to", "7.0.0")).Failed("bad-argument");
        (await person.RunAsync("schema", "check", file, "--schema", "other")).Failed("schema-not-found");
        (await person.RunAsync("schema", "check", Schemas.Write(person, "several.tlfs", Schemas.Several), "--from", "0.1.0")).Failed("bad-argument");
    }

    [Fact]
    public async Task Add_UsesTheNewestVersions_OrThosePinned()
    {
        using var person = await Person.ReadyAsync();
        var file = Schemas.Write(person, "several.tlfs", Schemas.Several);
        Same.Texts(["notes 0.2.0", "flags 1.0.0"], (await person.JsonAsync("schema", "add", file)).Done().JsonLines.Select(Named));
        Assert.Equal("0.2.0", (await person.JsonAsync("doc", "create", "notes")).Text("version"));

        Same.Texts(["notes 0.1.0", "flags 1.0.0"], (await person.JsonAsync("schema", "add", file, "--version", "notes=0.1.0")).Done().JsonLines.Select(Named));
        var old = (await person.JsonAsync("doc", "create", "notes")).Json;
        Assert.Equal("0.1.0", old.GetProperty("version").GetString());
        (await person.RunAsync("doc", "set", old.GetProperty("doc").GetString()!, ".pinned", "true")).Failed("path-not-found");
    }

    [Theory]
    [InlineData("notes")]
    [InlineData("notes=")]
    [InlineData("notes=9.9.9")]
    [InlineData("notes=1")]
    [InlineData("other=0.1.0")]
    public async Task Add_RefusesAPinThatIsNone(string pin)
    {
        using var person = await Person.ReadyAsync();
        var run = await person.RunAsync("schema", "add", Schemas.Write(person, "several.tlfs", Schemas.Several), "--version", pin);
        Assert.Equal(1, run.ExitCode);
        (await person.RunAsync("doc", "create", "notes")).Failed("schema-not-found");
    }

    [Theory]
    [InlineData("", ":1:1:")]
    [InlineData("todoapp", "schema.tlfs:1:")]
    [InlineData("todoapp {\n  0.1.0 { .: Strukt }\n}", "schema.tlfs:2:14:")]
    [InlineData("todoapp { 0.1.0 { .: Struct .a: MVReg<String> .a: EWFlag } }", "schema.tlfs:1:")]
    [InlineData("\0\u0001\u001b[2J", "schema.tlfs:1:1:")]
    public async Task AFileThatDoesNotCompile_SaysWhere(string source, string place)
    {
        using var person = await Person.ReadyAsync();
        var file = Schemas.Write(person, "schema.tlfs", source);
        Assert.Contains(place, (await person.RunAsync("schema", "check", file)).Failed("schema-error").Error, StringComparison.Ordinal);
        Assert.Empty((await person.JsonAsync("schema", "add", file)).Failed("schema-error").Output);
        Assert.NotEmpty(await person.NewDocumentAsync());
    }

    [Fact]
    public async Task AFileThatCannotBeRead_IsSaid()
    {
        using var person = await Person.ReadyAsync();
        (await person.RunAsync("schema", "add", person.File("missing.tlfs"))).Failed("input-output");
        (await person.RunAsync("schema", "check", person.Home)).Failed("input-output");
        await File.WriteAllBytesAsync(person.File("binary.tlfs"), [0xff, 0xfe, 0x00], TestContext.Current.CancellationToken);
        (await person.RunAsync("schema", "check", person.File("binary.tlfs"))).Failed("malformed");
        await File.WriteAllTextAsync(person.File("large.tlfs"), new string(' ', 3 << 20), TestContext.Current.CancellationToken);
        (await person.RunAsync("schema", "check", person.File("large.tlfs"))).Failed("too-large");
    }

    private static string Named(JsonElement line) => $"{line.GetProperty("schema").GetString()} {line.GetProperty("version").GetString()}";
}
