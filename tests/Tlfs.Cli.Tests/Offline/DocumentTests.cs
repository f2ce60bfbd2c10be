using System.Text.Json;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Offline;

/// <summary><c>doc create|list|show|log|verify|delete|leave</c> without any server.</summary>
public sealed class DocumentTests
{
    private const string Empty = """{"people":{},"tasks":[],"title":null}""" + "\n";

    [Fact]
    public async Task Create_List_Show()
    {
        using var person = await Person.ReadyAsync();
        Assert.Contains("tlfs doc create", (await person.RunAsync("doc", "list")).Done().Output, StringComparison.Ordinal);
        Assert.Empty((await person.JsonAsync("doc", "list")).Done().Output);

        var made = (await person.JsonAsync("doc", "create", "todoapp")).Json;
        Same.Members(made, "doc", "schema", "version");
        Assert.Equal("todoapp", made.GetProperty("schema").GetString());
        Assert.Equal("0.1.0", made.GetProperty("version").GetString());

        var listed = (await person.JsonAsync("doc", "list")).Json;
        Same.Members(listed, "doc", "schema", "version", "entries", "unsent", "head");
        Assert.Equal(made.GetProperty("doc").GetString(), listed.GetProperty("doc").GetString());
        Assert.Equal(0, listed.GetProperty("entries").GetInt32());
        Assert.Equal(JsonValueKind.Null, listed.GetProperty("head").ValueKind);
        Assert.Contains("SCHEMA", (await person.RunAsync("doc", "list")).Done().Lines[0], StringComparison.Ordinal);

        var document = made.GetProperty("doc").GetString()!;
        Assert.Equal(Empty, await person.ShowAsync(document));
        Assert.Equal(Empty, (await person.JsonAsync("doc", "show", document)).Done().Output);
        Assert.Equal(Empty, await person.ShowAsync(document[..12]));
    }

    [Fact]
    public async Task ADocumentThatIsNot_IsSaid()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.RunAsync("doc", "create", "nothing")).Failed("schema-not-found");
        foreach (var name in (string[])["doc_" + new string('a', 52), "doc_aaaaaaaa", document[..8], document + "a", document.ToUpperInvariant(), "acct_" + document[4..], "", "@file"])
        {
            (await person.RunAsync("doc", "show", name)).Failed("document-not-found");
            (await person.RunAsync("doc", "set", name, ".title", "1")).Failed("document-not-found");
            (await person.RunAsync("grants", name)).Failed("document-not-found");
            (await person.RunAsync("doc", "delete", name, "--yes")).Failed("document-not-found");
            (await person.RunAsync("doc", "leave", name)).Failed("document-not-found");
        }
    }

    [Fact]
    public async Task Show_RefusesAPathThatIsNot()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        Assert.Equal("[]\n", await person.ShowAsync(document, ".tasks"));
        Assert.Equal("[]\n", (await person.RunAsync("doc", "show", document, ".title", "--all-values")).Done().Output);
        (await person.RunAsync("doc", "show", document, "title")).Failed("path-syntax");
        (await person.RunAsync("doc", "show", document, ".nothing")).Failed("path-not-found");
        (await person.RunAsync("doc", "show", document, ".tasks[0]")).Failed("index-out-of-range");
        (await person.RunAsync("doc", "show", document, ".people[\"Ann\"]")).Failed("not-present");
        (await person.RunAsync("doc", "show", document, ".people[0]")).Failed("type-mismatch");
    }

    [Fact]
    public async Task Log_And_Verify()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var edit = (await person.EditAsync(document, """{"op":"set","path":".title","value":"x"}""")).Text("envelope");
        var log = (await person.JsonAsync("doc", "log", document)).Done().JsonLines;
        foreach (var line in log)
        {
            Same.Members(line, "envelope", "author", "seq", "type", "status", "reason", "receipts");
            Assert.Equal("applied", line.GetProperty("status").GetString());
            Assert.Equal(0, line.GetProperty("receipts").GetArrayLength());
        }

        Assert.Equal("policy", log[0].GetProperty("type").GetString());
        Assert.Equal(edit, log[^1].GetProperty("envelope").GetString());
        Assert.Equal("delta", log[^1].GetProperty("type").GetString());

        var report = (await person.JsonAsync("doc", "verify", document)).Json;
        Same.Members(report, "envelopes", "problems", "evidence");
        Assert.Equal(log.Count, report.GetProperty("envelopes").GetInt32());
        Assert.Equal(0, report.GetProperty("problems").GetArrayLength());
    }

    [Fact]
    public async Task Delete_AsksUnlessToldNotTo()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.RunAsync("doc", "delete", document)).Failed("bad-argument");
        Assert.Equal(Empty, await person.ShowAsync(document));

        var deleted = (await person.JsonAsync("doc", "delete", document, "--yes")).Json;
        Same.Members(deleted, "doc", "freed");
        Assert.True(deleted.GetProperty("freed").GetInt64() > 0);
        (await person.RunAsync("doc", "show", document)).Failed("document-not-found");
        Assert.Empty((await person.JsonAsync("doc", "list")).Done().Output);
    }

    [Fact]
    public async Task Leave_RemovesTheDocumentHere()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        Assert.Equal(document, (await person.JsonAsync("doc", "leave", document)).Text("doc"));
        (await person.RunAsync("doc", "show", document)).Failed("document-not-found");
    }

    [Fact]
    public async Task ABeginningOfSeveralDocuments_IsAmbiguous()
    {
        // Ids are keys, so two that begin alike cannot be made; a beginning that is too short is refused for the same reason.
        using var person = await Person.ReadyAsync();
        await person.NewDocumentAsync();
        Assert.Contains("8 letters", (await person.RunAsync("doc", "show", "doc_")).Failed("document-not-found").Error, StringComparison.Ordinal);
    }
}
