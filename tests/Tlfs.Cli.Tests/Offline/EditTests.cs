using System.Text.Json;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Offline;

/// <summary><c>doc set|insert|move|remove|edit</c>.</summary>
public sealed class EditTests
{
    [Fact]
    public async Task EveryKindOfEdit_IsOneTransaction()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        await ChangesAsync(person, "set", document, ".title", "\"Shopping\"");
        await ChangesAsync(person, "set", document, ".people[\"Ann \\\"B.\\\"\"].age", "42");
        await ChangesAsync(person, "insert", document, ".tasks", "0", """{"title":"milk"}""");
        await ChangesAsync(person, "insert", document, ".tasks", "1", """{"title":"bread","complete":true}""");
        await ChangesAsync(person, "move", document, ".tasks", "1", "0");
        Assert.Equal(
            """{"people":{"Ann \"B.\"":{"age":42}},"tasks":[{"complete":true,"title":"bread"},{"complete":false,"title":"milk"}],"title":"Shopping"}""" + "\n",
            await person.ShowAsync(document));

        await ChangesAsync(person, "remove", document, ".tasks[0]");
        await ChangesAsync(person, "remove", document, ".people[\"Ann \\\"B.\\\"\"]");
        await ChangesAsync(person, "remove", document, ".title");
        Assert.Equal("""{"people":{},"tasks":[{"complete":false,"title":"milk"}],"title":null}""" + "\n", await person.ShowAsync(document));
    }

    [Fact]
    public async Task Set_ReadsItsValueFromStandardInput()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        (await person.FeedAsync("""{"title":"grüße \u2028",""" + "\n" + """ "tasks":[{"title":"a"}]}""", "doc", "set", document, ".", "-")).Done();
        Assert.Equal("a", JsonElement.Parse(await person.ShowAsync(document)).GetProperty("tasks")[0].GetProperty("title").GetString());
        Assert.Equal("grüße \u2028", JsonElement.Parse(await person.ShowAsync(document, ".title")).GetString());
    }

    [Theory]
    [InlineData("path-syntax", "set", "title", "\"x\"")]
    [InlineData("path-syntax", "set", ".tasks[", "[]")]
    [InlineData("path-not-found", "set", ".nothing", "1")]
    [InlineData("path-not-found", "insert", ".title.x", "0", "1")]
    [InlineData("type-mismatch", "set", ".title", "5")]
    [InlineData("type-mismatch", "set", ".people[\"Ann\"].age", "-1")]
    [InlineData("type-mismatch", "set", ".people[\"Ann\"].age", "1.5")]
    [InlineData("type-mismatch", "set", ".people[\"Ann\"].age", "18446744073709551616")]
    [InlineData("type-mismatch", "set", ".tasks", "{}")]
    [InlineData("type-mismatch", "insert", ".title", "0", "\"x\"")]
    [InlineData("type-mismatch", "insert", ".tasks", "0", "\"x\"")]
    [InlineData("index-out-of-range", "insert", ".tasks", "1", "{}")]
    [InlineData("index-out-of-range", "set", ".tasks[0].title", "\"x\"")]
    [InlineData("index-out-of-range", "move", ".tasks", "0", "0")]
    [InlineData("index-out-of-range", "remove", ".tasks[0]")]
    [InlineData("not-present", "remove", ".title")]
    [InlineData("not-present", "remove", ".people[\"Ann\"]")]
    [InlineData("bad-argument", "set", ".title", "shopping")]
    [InlineData("bad-argument", "set", ".title", "{\"a\":1,\"a\":2}")]
    [InlineData("bad-argument", "set", ".title", "")]
    [InlineData("nothing-to-do", "set", ".tasks", "[]")]
    public async Task ABadEdit_IsRefused_AndChangesNothing(string reason, string command, params string[] args)
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var before = (await person.JsonAsync("doc", "log", document)).Done().Output;
        Assert.Empty((await person.RunAsync(["doc", command, document, .. args])).Failed(reason).Output);
        Assert.Equal(before, (await person.JsonAsync("doc", "log", document)).Done().Output);
    }

    [Fact]
    public async Task Edit_IsAllOrNothing()
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var run = (await person.EditAsync(
            document,
            """{"op":"set","path":".title","value":"list"}""",
            "",
            """{"op":"insert","path":".tasks","index":0,"value":{"title":"b"}}""",
            """{"op":"insert","path":".tasks","index":0,"value":{"title":"a"}}""",
            """{"op":"move","path":".tasks","from":1,"to":0}""",
            """{"op":"remove","path":".tasks[1]"}""")).Json;
        Same.Members(run, "envelope", "ops");
        var state = await person.ShowAsync(document);
        Assert.Equal("""{"people":{},"tasks":[{"complete":false,"title":"b"}],"title":"list"}""" + "\n", state);

        var refused = (await person.EditAsync(
            document, """{"op":"set","path":".title","value":"lost"}""", """{"op":"set","path":".tasks[7].title","value":"x"}""")).Failed("index-out-of-range");
        Assert.StartsWith("tlfs: line 2: ", refused.Error, StringComparison.Ordinal);
        Assert.Empty(refused.Output);
        Assert.Equal(state, await person.ShowAsync(document));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"op":"set","path":".title"}""")]
    [InlineData("""{"op":"set","value":1}""")]
    [InlineData("""{"op":"set","path":5,"value":1}""")]
    [InlineData("""{"op":"set","path":".title","value":"x","index":1}""")]
    [InlineData("""{"op":"insert","path":".tasks","index":"0","value":{}}""")]
    [InlineData("""{"op":"insert","path":".tasks","index":0.5,"value":{}}""")]
    [InlineData("""{"op":"move","path":".tasks","from":0}""")]
    [InlineData("""{"op":"delete","path":".tasks[0]"}""")]
    [InlineData("""{"op":"\ud800","path":".tasks[0]"}""")]
    public async Task ABadLine_NamesItsNumber(string line)
    {
        using var person = await Person.ReadyAsync();
        var document = await person.NewDocumentAsync();
        var run = (await person.EditAsync(document, """{"op":"set","path":".title","value":"x"}""", line)).Failed("bad-argument");
        Assert.StartsWith("tlfs: line 2: ", run.Error, StringComparison.Ordinal);
        Assert.Equal("null\n", await person.ShowAsync(document, ".title"));
    }

    [Fact]
    public async Task Edit_WithoutAnyLine_IsRefused()
    {
        using var person = await Person.ReadyAsync();
        (await person.EditAsync(await person.NewDocumentAsync(), "", " ")).Failed("bad-argument");
    }

    private static async Task ChangesAsync(Person person, string command, params string[] args)
    {
        var line = (await person.JsonAsync(["doc", command, .. args])).Json;
        Same.Members(line, "envelope", "ops");
        Assert.StartsWith("env_", line.GetProperty("envelope").GetString(), StringComparison.Ordinal);
        Assert.True(line.GetProperty("ops").GetInt32() > 0);
    }
}
