using System.Globalization;
using System.Text.Json;
using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Generate.Kitchen;
using Tlfs.Cli.Tests.Generate.Roots;
using Tlfs.Client;
using Tlfs.Client.Typed;
using Tlfs.Core;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Cli.Tests.Generate;

/// <summary>Generated code at work on a replica: every kind and primitive, read and edited with its types.</summary>
public sealed class KitchenTests : IAsyncLifetime
{
    private static readonly Bytes One = new byte[] { 0, 1, 255 };
    private readonly TempFolder _folder = new("kitchen");
    private LocalFirst _replica = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _replica = await LocalFirst.OpenAsync(_folder.Path, Compile("kitchen"), Cancel);
        await _replica.AddSchemasAsync(Compile("roots"), null, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _replica.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task ANewDocument_IsEmpty()
    {
        var state = (await KitchenDocument.CreateAsync(_replica, Cancel)).Read();
        Assert.Null(state.Bool);
        Assert.Null(state.Text);
        Assert.Null(state.Bytes);
        Assert.False(state.Flag);
        Assert.Empty(state.TextValues);
        Assert.Empty(state.Matrix);
        Assert.Empty(state.People);
        Assert.Empty(state.Inner.Deeper.List);
    }

    [Fact]
    public async Task EveryPrimitive_IsReadAsItWasWritten()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(
            edit =>
            {
                (edit.Bool, edit.U64, edit.I64, edit.F64, edit.Text, edit.Bytes, edit.Flag) = (true, ulong.MaxValue, long.MinValue, 0.1, "ä\n😀\"", One, true);
                Assert.Equal((true, ulong.MaxValue, long.MinValue, 0.1, "ä\n😀\"", One, true), (edit.Bool, edit.U64, edit.I64, edit.F64, edit.Text, edit.Bytes, edit.Flag));
                Assert.Equal(["ä\n😀\""], edit.TextValues, StringComparer.Ordinal);
            },
            Cancel);
        var state = document.Read();
        Assert.Equal((true, ulong.MaxValue, long.MinValue, 0.1, "ä\n😀\"", One, true), (state.Bool, state.U64, state.I64, state.F64, state.Text, state.Bytes, state.Flag));
        Assert.Equal([ulong.MaxValue], state.U64Values);
        await document.EditAsync(edit => (edit.Bool, edit.U64, edit.I64, edit.F64, edit.Text, edit.Bytes, edit.Flag) = (null, null, null, null, null, null, false), Cancel);
        state = document.Read();
        Assert.Equal((null, null, null, null, null, null, false), (state.Bool, state.U64, state.I64, state.F64, state.Text, state.Bytes, state.Flag));
    }

    [Fact]
    public async Task EveryKeyOfATable_IsReadAsItWasWritten()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(
            edit =>
            {
                edit.ByBool[true] = 1;
                edit.ByBool[false] = null;
                edit.ByU64[ulong.MaxValue] = true;
                edit.ByI64[long.MinValue].Name = "low";
                edit.ByI64[-1].Tags.Add("a");
                edit.ByText["a \"b\" ä"]["]"] = 1.5;
                edit.ByBytes[One].Add(true);
                edit.Keys[7] = default;
                edit.Keys.Set(8, default);
                Assert.True(edit.Keys.ContainsKey(7) && !edit.Keys.ContainsKey(9));
            },
            Cancel);
        var state = document.Read();
        Assert.Equal([(false, null), (true, 1UL)], state.ByBool.Select(row => (row.Key, row.Value)));
        Assert.True(state.ByU64[ulong.MaxValue]);
        Assert.Equal(("low", "a"), (state.ByI64[long.MinValue].Name, state.ByI64[-1].Tags[0]));
        Assert.Equal(1.5, state.ByText["a \"b\" ä"]["]"]);
        Assert.Equal([1.5], state.ByTextValues["a \"b\" ä"]["]"]);
        Assert.Equal([true], state.ByBytes[One]);
        Assert.Equal([7UL, 8UL], state.Keys.Keys);
        await document.EditAsync(
            edit =>
            {
                edit.Keys.Remove(7);
                edit.ByU64.Clear();
                edit.ByText["a \"b\" ä"].Remove("]");
                edit.ByI64[-1].Remove();
            },
            Cancel);
        state = document.Read();
        Assert.Equal([8UL], state.Keys.Keys);
        Assert.Empty(state.ByU64);
        Assert.Empty(state.ByText["a \"b\" ä"]);
        Assert.Equal([long.MinValue], state.ByI64.Keys);
    }

    [Fact]
    public async Task ARowThatDoesNotExist_HoldsNothing_UntilItIsWrittenTo()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(
            edit =>
            {
                Assert.Null(edit.People["Ann"].Age);
                Assert.Equal((0, null), (edit.People["Ann"].Pets.Count, edit.ByText["x"]["y"]));
                Assert.False(edit.People.ContainsKey("Ann"));
                edit.People["Ann"].Age = 5;
                edit.People["Ann"].Pets.Insert(0, new() { Name = "Rex" });
                edit.People.Set("Bob", new() { Age = 7, Pets = [new() { Name = "Mia" }] });
            },
            Cancel);
        var people = document.Read().People;
        Assert.Equal("Ann 5 Rex, Bob 7 Mia", string.Join(", ", people.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Key} {row.Value.Age} {row.Value.Pets[0].Name}"))));
    }

    [Fact]
    public async Task Arrays_AreEditedInPlace()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(
            edit =>
            {
                foreach (var name in (string[])["a", "b", "c"]) edit.Names.Add(name);
                edit.Names.Insert(0, null);
                Assert.Equal(4, edit.Names.Count);
                edit.Names.Move(0, 3);
                edit.Names[0] = "A";
                edit.Names.RemoveAt(1);
                Assert.Equal(["A", "c", null], edit.Names.Read(), StringComparer.Ordinal);
                Assert.Equal((3, "c"), (edit.Names.Count, edit.Names[1]));
                edit.Flags.Set([true, false]);
                edit.Flags[1] = true;
                edit.Blobs.Add(One);
                edit.Matrix.Add([1, 2.5]);
                edit.Matrix[0][1] = null;
                edit.Matrix[0].Add(3);
                edit.Matrix.Insert(0, []);
                edit.Cube.Add([[new() { Hot = true }], []]);
                edit.Cube[0][1].Add(new());
                edit.Cube[0][0][0].Hot = false;
                edit.Groups.Add(new Dictionary<ulong, IReadOnlyList<KitchenGroupRowItem>> { [3] = [new() { Label = "x" }] });
                edit.Groups[0][4].Add(new() { Label = "y" });
            },
            Cancel);
        var state = document.Read();
        Assert.Equal(["A", "c", null], state.Names, StringComparer.Ordinal);
        Assert.Equal([["A"], ["c"], []], state.NamesValues);
        Assert.Equal([true, true], state.Flags);
        Assert.Equal([One], state.Blobs);
        Assert.Equal([[], [1.0, null, 3.0]], state.Matrix);
        Assert.False(state.Cube[0][0][0].Hot || state.Cube[0][1][0].Hot);
        Assert.Equal(("x", "y"), (state.Groups[0][3][0].Label, state.Groups[0][4][0].Label));
    }

    [Fact]
    public async Task Structs_AreReadAndReplacedAsAWhole()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(edit => edit.Set(new() { Text = "t", Inner = new() { Name = "n", Deeper = new() { On = true, List = [1, null, 3] } } }), Cancel);
        var inner = document.Read().Inner;
        Assert.Equal(("n", true), (inner.Name, inner.Deeper.On));
        Assert.Equal([1, null, 3], inner.Deeper.List);
        await document.EditAsync(edit => edit.Inner.Set(edit.Inner.Read() with { Name = "m" }), Cancel);
        inner = document.Read().Inner;
        Assert.Equal(("m", 3), (inner.Name, inner.Deeper.List.Count));
        await document.EditAsync(edit => edit.Inner.Deeper.Remove(), Cancel);
        Assert.False(document.Read().Inner.Deeper.On);
        Assert.Equal("t", document.Read().Text);
    }

    [Fact]
    public async Task NamesThatCollide_AreFieldsOfTheirOwn()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        await document.EditAsync(
            edit =>
            {
                (edit.DueDate, edit.DueDate2, edit.Title, edit.TitleValues, edit.Class) = (1, 2, "t", "v", "c");
                (edit.Field, edit.Field1, edit.Remove2, edit.Equals2, edit.State.State) = (true, true, true, true, true);
                edit.Read2.Add(4);
            },
            Cancel);
        Assert.Equal("""{"due_date":2,"dueDate":1,"title":"t","title_values":"v"}""", Members(document, "due_date", "dueDate", "title", "title_values"));
        Assert.Equal("""{"_":true,"_1":true,"remove":true,"equals":true,"state":{"state":true},"read":[4]}""", Members(document, "_", "_1", "remove", "equals", "state", "read"));
        Assert.Equal(["t"], document.Read().TitleValues2, StringComparer.Ordinal);
    }

    [Fact]
    public async Task WhatDoesNotFit_IsRefused_AndNothingHappened()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        async Task<Reason> Refused(Action<KitchenEdit> edit) => (await Assert.ThrowsAsync<TlfsException>(() => document.EditAsync(each => { each.Flag = true; edit(each); }, Cancel))).Reason;
        Assert.Equal(Reason.TypeMismatch, await Refused(edit => edit.F64 = double.NaN));
        Assert.Equal(Reason.TypeMismatch, await Refused(edit => edit.Text = "\ud800"));
        Assert.Equal(Reason.TypeMismatch, await Refused(edit => edit.People["\ud800"].Age = 1));
        Assert.Equal(Reason.IndexOutOfRange, await Refused(edit => edit.Names[0] = "x"));
        Assert.Equal(Reason.IndexOutOfRange, await Refused(edit => edit.Names.Insert(1, "x")));
        Assert.Equal(Reason.NotPresent, await Refused(edit => edit.People.Remove("Ann")));
        Assert.False(document.Read().Flag);
    }

    [Fact]
    public async Task Changes_AreToldWithTheirTypes()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        var told = System.Threading.Channels.Channel.CreateUnbounded<string>();
        void Tell(FormattableString text) => told.Writer.TryWrite(text.ToString(CultureInfo.InvariantCulture));
        await using var text = document.WatchText(value => Tell($"text {value}"));
        await using var flag = document.WatchFlag(value => Tell($"flag {value}"));
        await using var names = document.WatchNames(change => Tell($"{change.Kind} name {change.Index} {change.From} {change.Item}"));
        await using var people = document.WatchPeople(change => Tell($"{change.Kind} {change.Key} {change.Item?.Age} {change.Below}"));
        await using var state = document.WatchState(change => Tell($"{change.Kind} {change.Path} {change.Value}"));
        async Task Expect(Action<KitchenEdit> edit, params string[] changes)
        {
            await document.EditAsync(edit, Cancel);
            foreach (var change in changes) Assert.Equal(change, await told.Reader.ReadAsync(Cancel));
        }

        await Expect(edit => edit.Text = "a", "text a");
        await Expect(edit => edit.Text = null, "text ");
        await Expect(edit => edit.Flag = true, "flag True");
        await Expect(edit => edit.Names.Set(["x", "y"]), "Insert name 0  x", "Insert name 1  y");
        await Expect(edit => edit.Names[1] = "z", "Update name 1  z");
        await Expect(edit => edit.Names.Move(1, 0), "Move name 0 1 z");
        await Expect(edit => edit.Names.RemoveAt(0), "Remove name 0  z");
        await Expect(edit => edit.People["A \"]\" n"].Age = 5, "Insert A \"]\" n 5 ");
        await Expect(edit => edit.People["A \"]\" n"].Pets.Add(new() { Name = "Rex" }), "Update A \"]\" n  .pets[0]");
        await Expect(edit => edit.People.Remove("A \"]\" n"), "Remove A \"]\" n 5 ");
        await Expect(edit => edit.State.State = true, "Update .state.state true");
    }

    [Fact]
    public async Task ADocumentThatIsNoStruct_IsWatchedToo()
    {
        var counters = await CountersDocument.CreateAsync(_replica, Cancel);
        var told = System.Threading.Channels.Channel.CreateUnbounded<TableChange<string, Counters>>();
        await using var watch = counters.WatchRows(change => told.Writer.TryWrite(change));
        await counters.EditAsync(edit => edit["x"].Count = 1, Cancel);
        Assert.Equal(("x", 1L), await told.Reader.ReadAsync(Cancel) is { } change ? (change.Key, change.Item!.Count) : default);
    }

    [Fact]
    public async Task ADocument_IsFoundAndOpenedAgain()
    {
        var made = await KitchenDocument.CreateAsync(_replica, Cancel);
        await MottoDocument.CreateAsync(_replica, Cancel);
        Assert.Equal(made.Id, Assert.Single(await KitchenDocument.AllAsync(_replica, Cancel)).Id);
        Assert.Equal(made.Id, (await KitchenDocument.OpenAsync(_replica, made.Id, Cancel)).Document.Id);
    }

    [Fact]
    public async Task TypesOfAnotherVersionOrSchema_AreRefused()
    {
        var document = await KitchenDocument.CreateAsync(_replica, Cancel);
        var other = new MottoDocument(document.Document);
        Assert.Equal(Reason.SchemaDiffers, Assert.Throws<TlfsException>(() => other.Read()).Reason);
        await _replica.AddSchemasAsync(Compile("kitchen"), new Dictionary<string, SchemaVersion>(StringComparer.Ordinal) { ["kitchen"] = new(1, 0, 0) }, Cancel);
        Assert.Equal(Reason.SchemaDiffers, Assert.Throws<TlfsException>(() => document.Read()).Reason);
        Assert.Equal(Reason.SchemaDiffers, (await Assert.ThrowsAsync<TlfsException>(() => document.EditAsync(edit => edit.Flag = true, Cancel))).Reason);
    }

    [Fact]
    public async Task ADocumentThatIsNoStruct_HasTypesToo()
    {
        var notes = await NotesDocument.CreateAsync(_replica, Cancel);
        await notes.EditAsync(edit => edit.Add("a"), Cancel);
        Assert.Equal(["a"], notes.Read(), StringComparer.Ordinal);
        var light = await SwitchDocument.CreateAsync(_replica, Cancel);
        await light.EditAsync(edit => edit.Value = !edit.Value, Cancel);
        Assert.True(light.Read());
        var counters = await CountersDocument.CreateAsync(_replica, Cancel);
        await counters.EditAsync(edit => edit["x"].Count = (edit["x"].Count ?? 0) + 1, Cancel);
        Assert.Equal(1, counters.Read()["x"].Count);
        var motto = await MottoDocument.CreateAsync(_replica, Cancel);
        await motto.EditAsync(edit => edit.Value = "m", Cancel);
        Assert.Equal("m", motto.Read());
    }

    [Fact]
    public void ARegisterWithSeveralValues_ShowsTheLastOne()
    {
        var json = JsonElement.Parse("""["a","b"]""");
        Assert.Equal("b", Shapes.String.Read(json));
        Assert.Equal(["a", "b"], Shapes.StringValues.Read(json), StringComparer.Ordinal);
        Assert.Throws<NotSupportedException>(() => Shapes.StringValues.Write(null!, []));
    }

    private static string Members(KitchenDocument document, params string[] names) =>
        "{" + string.Join(",", names.Select(name => $"\"{name}\":{document.Document.ToJson("." + name)}")) + "}";

    private static TlfsPackage Compile(string name) =>
        TlfsPackage.Compile(File.ReadAllText(RepositoryRoot.PathOf("tests", "Tlfs.Cli.Tests", "Generate", name + ".tlfs")));
}
