using System.Text.Json;
using Tlfs.Core.Crdt;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Xunit;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>What editing refuses, with which reason and sentence.</summary>
public sealed class RefusalTests
{
    private readonly Replica _tour = new(Schemas.Tour, 1);
    private readonly Replica _all = new(Schemas.Everything, 2);

    [Theory]
    [InlineData(".tasks[0].title", "5", Reason.TypeMismatch, ".tasks[0].title takes a String, not a number")]
    [InlineData(".tasks[0].complete", "\"yes\"", Reason.TypeMismatch, ".tasks[0].complete takes a boolean, not a string")]
    [InlineData(".tasks[0].complete", "null", Reason.TypeMismatch, ".tasks[0].complete takes a boolean, not null")]
    [InlineData(".tasks[0]", "[]", Reason.TypeMismatch, ".tasks[0] takes an object, not an array")]
    [InlineData(".tasks", "{}", Reason.TypeMismatch, ".tasks takes an array, not an object")]
    [InlineData(".people", "null", Reason.TypeMismatch, ".people takes an object, not null")]
    [InlineData(".tasks[0]", "{\"titel\":\"x\"}", Reason.PathNotFound, "the schema has no member titel in .tasks[0]; did you mean 'title'?")]
    [InlineData(".tasks[0].titel", "\"x\"", Reason.PathNotFound, "the schema has no .tasks[0].titel; did you mean 'title'?")]
    [InlineData(".title.x", "1", Reason.PathNotFound, ".title is of type MVReg<String> and has no field x")]
    [InlineData(".title[0]", "1", Reason.PathNotFound, ".title is of type MVReg<String> and has no keys")]
    [InlineData(".tasks[1].title", "\"x\"", Reason.IndexOutOfRange, ".tasks has 1 elements and none at [1]")]
    [InlineData(".tasks[-1].title", "\"x\"", Reason.IndexOutOfRange, ".tasks has 1 elements and none at [-1]")]
    [InlineData(".tasks[99999999999999].title", "\"x\"", Reason.IndexOutOfRange, ".tasks has 1 elements and none at [99999999999999]")]
    [InlineData(".tasks[\"0\"].title", "\"x\"", Reason.TypeMismatch, ".tasks takes an index")]
    [InlineData(".people[0].age", "1", Reason.TypeMismatch, ".people takes keys of type String in quotes")]
    [InlineData(".people[\"x\"].age", "1.0", Reason.TypeMismatch, ".people[\"x\"].age takes a u64 (an integer from 0 to 18446744073709551615), not a number")]
    [InlineData(".people[\"x\"].age", "1e3", Reason.TypeMismatch, null)]
    [InlineData(".people[\"x\"].age", "-1", Reason.TypeMismatch, null)]
    [InlineData(".people[\"x\"].age", "18446744073709551616", Reason.TypeMismatch, null)]
    [InlineData("", "1", Reason.PathSyntax, "path, column 1: a path begins with a dot")]
    [InlineData("title", "1", Reason.PathSyntax, "path, column 1: a path begins with a dot")]
    [InlineData(".title.", "1", Reason.PathSyntax, "path, column 8: a field's name is expected")]
    [InlineData(".tasks[", "1", Reason.PathSyntax, "path, column 8: a key is a string in quotes, an integer, true or false")]
    [InlineData(".tasks[x]", "1", Reason.PathSyntax, "path, column 8: a key is a string in quotes, an integer, true or false")]
    [InlineData(".tasks[01]", "1", Reason.PathSyntax, "path, column 8: a key is a string in quotes, an integer, true or false")]
    [InlineData(".tasks[0", "1", Reason.PathSyntax, "path, column 9: ']' is expected")]
    [InlineData(".tasks[0]title", "1", Reason.PathSyntax, "path, column 10: a dot or '[' is expected")]
    [InlineData(".people[\"x].age", "1", Reason.PathSyntax, "path, column 9: the string does not end")]
    [InlineData(".people[\"\\q\"].age", "1", Reason.PathSyntax, "path, column 9: the string is not JSON")]
    [InlineData(".people[\"\\ud800\"].age", "1", Reason.PathSyntax, "path, column 9: the string is not JSON")]
    [InlineData(".a b", "1", Reason.PathSyntax, "path, column 3: a dot or '[' is expected")]
    public void A_wrong_set_is_refused(string path, string json, Reason reason, string? message)
    {
        _tour.Insert(".tasks", 0, "{}");
        Refused(reason, message, () => _tour.Set(path, json));
    }

    [Theory]
    [InlineData(".byI64[true].name", "\"x\"", Reason.TypeMismatch)]
    [InlineData(".byI64[-0].name", "\"x\"", Reason.TypeMismatch)]
    [InlineData(".byI64[9223372036854775808].name", "\"x\"", Reason.TypeMismatch)]
    [InlineData(".byBool[0]", "1", Reason.TypeMismatch)]
    [InlineData(".byBytes[\"AAE\"]", "[]", Reason.TypeMismatch)]
    [InlineData(".byBytes[\"AAF=\"]", "[]", Reason.TypeMismatch)]
    [InlineData(".byBytes", "{\" AAE=\":[]}", Reason.TypeMismatch)]
    [InlineData(".keys", "{\"01\":null}", Reason.TypeMismatch)]
    [InlineData(".keys", "{\"+1\":null}", Reason.TypeMismatch)]
    [InlineData(".keys[1]", "1", Reason.TypeMismatch)]
    [InlineData(".bytes", "\"AAE\"", Reason.TypeMismatch)]
    [InlineData(".f64", "1e400", Reason.TypeMismatch)]
    [InlineData(".f64", "\"1\"", Reason.TypeMismatch)]
    [InlineData(".i64", "9223372036854775808", Reason.TypeMismatch)]
    [InlineData(".text", "\"\\ud800\"", Reason.TypeMismatch)]
    public void A_wrong_value_or_key_is_refused(string path, string json, Reason reason) => Refused(reason, null, () => _all.Set(path, json));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":1,\"\\u0061\":2}")]
    [InlineData("[1,]")]
    [InlineData("/**/1")]
    [InlineData("01")]
    [InlineData("NaN")]
    [InlineData("1 2")]
    public void What_is_not_JSON_is_refused(string text) => Refused(Reason.BadArgument, null, () => Json.Parse(text));

    [Fact]
    public void Too_deep_JSON_and_text_that_is_not_Unicode_are_refused()
    {
        Refused(Reason.BadArgument, null, () => Json.Parse("\"" + (char)0xD800 + "\""));
        Json.Parse(new string('[', 33) + new string(']', 33));
        Refused(Reason.BadArgument, null, () => Json.Parse(new string('[', 34) + new string(']', 34)));
        Refused(Reason.BadArgument, null, () => Json.Parse(new string('[', 1_000_000)));
    }

    [Fact]
    public void Members_that_stand_twice_or_are_not_Unicode_are_refused_however_they_were_parsed()
    {
        foreach (var text in (string[])["{\"Ann\":{},\"Ann\":{}}", "{\"\\ud800\":{}}"])
        {
            using var lenient = JsonDocument.Parse(text);
            Refused(Reason.TypeMismatch, null, () => _tour.Edit(edit => edit.Set(".people", lenient.RootElement)));
        }
    }

    [Fact]
    public void Indexes_outside_the_array_are_refused()
    {
        _tour.Set(".tasks", "[{},{}]");
        foreach (var index in (int[])[-1, 3, int.MaxValue]) Refused(Reason.IndexOutOfRange, null, () => _tour.Insert(".tasks", index, "{}"));
        foreach (var (from, to) in ((int, int)[])[(-1, 0), (0, -1), (2, 0), (0, 2)]) Refused(Reason.IndexOutOfRange, null, () => _tour.Move(".tasks", from, to));
        Refused(Reason.TypeMismatch, ".people is of type Table<String> and not an Array", () => _tour.Insert(".people", 0, "{}"));
    }

    [Fact]
    public void What_is_not_there_is_refused()
    {
        Refused(Reason.NotPresent, ".title holds nothing", () => _tour.Remove(".title"));
        Refused(Reason.NotPresent, "there is no .people[\"Ann\"]", () => _tour.Remove(".people[\"Ann\"]"));
        Refused(Reason.NotPresent, "there is no .people[\"Ann\"]", () => _tour.Show(".people[\"Ann\"].age"));
        Refused(Reason.NotPresent, null, () => _tour.Remove("."));
        Refused(Reason.IndexOutOfRange, null, () => _tour.Remove(".tasks[0]"));
        Refused(Reason.NotPresent, null, () => _all.Move(".byI64[1].tags", 0, 0));
        Refused(Reason.TypeMismatch, null, () => JsonView.Values(Schemas.Tour.View, _tour.State, ".tasks"));
    }

    [Fact]
    public void An_edit_without_effect_is_refused()
    {
        Refused(Reason.NothingToDo, "the edit changes nothing", () => _tour.Edit(_ => { }));
        Refused(Reason.NothingToDo, null, () => _tour.Set(".title", "null"));
        _tour.Set(".tasks", "[{},{}]");
        Refused(Reason.NothingToDo, null, () => _tour.Move(".tasks", 1, 1));
        Refused(Reason.NothingToDo, null, () => _tour.Edit(edit =>
        {
            edit.Insert(".tasks", 1, Json.Parse("{\"title\":\"x\",\"complete\":true}"));
            edit.Move(".tasks", 1, 0);
            edit.Remove(".tasks[0]");
        }));
    }

    [Fact]
    public void A_refused_edit_leaves_the_earlier_ones()
    {
        _tour.Set(".people[\"Ann\"].age", "1");
        var delta = _tour.Edit(edit =>
        {
            edit.Set(".title", Json.Parse("\"a\""));
            Assert.Equal(1, edit.Count);
            Refused(Reason.TypeMismatch, null, () => edit.Set(".people", Json.Parse("{\"Bob\":{\"age\":1},\"Zoe\":{\"age\":\"x\"}}")));
            Assert.Equal(1, edit.Count);
            edit.Set(".title", Json.Parse("\"b\""));
        });
        Assert.Equal("{\"people\":{\"Ann\":{\"age\":1}},\"tasks\":[],\"title\":\"b\"}", _tour.Json);
        Assert.Equal(Value.Of("b"), ((Put)Assert.Single(delta.Operations)).Value);
    }

    [Fact]
    public void An_edit_has_one_operation_less_than_a_part_holds()
    {
        static string Keys(int count) => "{" + string.Join(",", Enumerable.Range(0, count).Select(i => $"\"{i}\":null")) + "}";
        Assert.Equal(Limits.Operations - 1, _all.Set(".keys", Keys(Limits.Operations - 1)).Operations.Count);
        var before = _all.State.StateHash();
        Refused(Reason.TooLarge, null, () => _all.Set(".keys", Keys(Limits.Operations)));
        Assert.Equal(before, _all.State.StateHash());
        var removed = _all.Set(".keys", "{}").Operations.Cast<Remove>().ToList();
        Assert.Equal([4096, 4096, 4096, 4095], removed.Select(remove => remove.Dots.Count));
        Assert.Equal(0, _all.State.EntryCount);
    }

    [Fact]
    public void Keys_and_paths_past_the_limits_are_refused()
    {
        _tour.Set($".people[\"{new string('k', Limits.KeyBytes)}\"].age", "1");
        Refused(Reason.TooLarge, null, () => _tour.Set($".people[\"{new string('k', Limits.KeyBytes + 1)}\"].age", "1"));
        Refused(Reason.PathSyntax, null, () => _tour.Set(string.Concat(Enumerable.Repeat(".a", 33)), "1"));
        Refused(Reason.TooLarge, null, () => _tour.Set("." + new string('a', 100_000), "1"));
    }

    [Fact]
    public void Operations_that_do_not_fit_their_schema_are_found()
    {
        var view = Schemas.Tour.View;
        var (title, tasks, people) = (view.Root.Fields["title"].Storage([]), view.Root.Fields["tasks"].Storage([]), view.Root.Fields["people"].Storage([]));
        var task = tasks.Append(Segment.Of(new Uid(1)));
        var complete = view.Root.Fields["tasks"].Element!.Fields["complete"].Storage([Segment.Of(new Uid(1))]);
        Assert.True(Position.TryFrom([1], out var position));
        Operation[] good =
        [
            new Put(title, Value.Of("x")), new Put(task, Value.Null), new Put(complete, Value.True), new Put(people.Append(Segment.Of("Ann")), Value.Null),
            new Place(tasks, new Uid(1), position), new Remove(StoragePath.Root.Append(Segment.Of(true)), []), new SchemaOperation(default, Schemas.Everything),
        ];
        Operation[] bad =
        [
            new Put(title, Value.Of(1UL)), new Put(title, Value.Null), new Put(StoragePath.Root, Value.Null), new Put(task, Value.True), new Put(complete, Value.Of(false)),
            new Put(complete, Value.Null), new Put(people.Append(Segment.Of(1UL)), Value.Null), new Put(title.Append(Segment.Of("x")), Value.Null),
            new Place(people, new Uid(1), position), new Place(task, new Uid(1), position), new Put(tasks, Value.Null),
        ];
        Assert.All(good, operation => Assert.True(OperationCheck.Fits(view, operation, out _)));
        Assert.All(bad, operation => Assert.False(OperationCheck.Fits(view, operation, out _)));
        OperationCheck.Fits(view, bad[0], out DecodeError error);
        Assert.Equal(Reason.SchemaMismatch, error.Reason);
    }

    private static void Refused(Reason reason, string? message, Action edit)
    {
        var refused = Assert.Throws<TlfsException>(edit);
        Assert.Equal(reason, refused.Reason);
        if (message is not null) Assert.Equal(message, refused.Message);
    }
}
