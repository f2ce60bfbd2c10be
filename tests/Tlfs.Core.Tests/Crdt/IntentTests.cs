using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Xunit;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>What people who edit at the same time expect to happen.</summary>
public sealed class IntentTests
{
    private readonly Replica _a = new(Schemas.Tour, 1);
    private readonly Replica _b = new(Schemas.Tour, 2);

    [Fact]
    public void A_flag_enabled_and_disabled_at_once_is_on()
    {
        Share(_a.Insert(".tasks", 0, "{\"complete\":true}"));
        var off = _a.Set(".tasks[0].complete", "false");
        var on = _b.Set(".tasks[0].complete", "true");
        Share(off, on);
        Assert.Equal("true", Same(".tasks[0].complete"));
        Share(_b.Set(".tasks[0].complete", "false"));
        Assert.Equal("false", Same(".tasks[0].complete"));
    }

    [Fact]
    public void A_register_keeps_values_written_at_once_until_it_is_written_again()
    {
        Share(_a.Set(".title", "\"a\""), _b.Set(".title", "\"b\""));
        Assert.Equal(2, JsonView.Values(Schemas.Tour.View, _a.State, ".title").Count);
        Assert.Equal(JsonView.Values(Schemas.Tour.View, _a.State, ".title")[^1].Value.AsString, Same(".title").Trim('"'));
        Assert.True(_a.Show(".title", allValues: true) is "[\"a\",\"b\"]" or "[\"b\",\"a\"]");
        Share(_b.Set(".title", "\"c\""));
        Assert.Equal("[\"c\"]", _a.Show(".title", allValues: true));
    }

    [Fact]
    public void A_row_updated_and_removed_at_once_stays_with_what_was_written()
    {
        Share(_a.Set(".people", "{\"Ann\":{\"age\":1},\"Bob\":{\"age\":2}}"));
        Share(_a.Remove(".people[\"Ann\"]"), _b.Set(".people[\"Ann\"].age", "7"));
        Assert.Equal("{\"Ann\":{\"age\":7},\"Bob\":{\"age\":2}}", Same(".people"));
        Share(_a.Remove(".people[\"Ann\"]"));
        Assert.Equal("{\"Bob\":{\"age\":2}}", Same(".people"));
    }

    [Fact]
    public void Rows_made_at_once_are_one_row()
    {
        Share(_a.Set(".people[\"Ann\"].age", "1"), _b.Set(".people[\"Ann\"]", "{}"));
        Assert.Equal("{\"Ann\":{\"age\":1}}", Same(".people"));
    }

    [Fact]
    public void An_empty_row_exists_and_a_cleared_one_stays()
    {
        Share(_a.Set(".people[\"Ann\"].age", "1"));
        Share(_a.Set(".people[\"Ann\"].age", "null"));
        Assert.Equal("{\"Ann\":{\"age\":null}}", Same(".people"));
    }

    [Fact]
    public void Update_beats_delete_and_delete_beats_move()
    {
        Share(Tasks("x", "y", "z"));
        var moved = _a.Move(".tasks", 0, 2);
        var removed = _b.Remove(".tasks[0]");
        Share(moved, removed);
        Assert.Equal("yz", Titles());

        var updated = _a.Set(".tasks[0].title", "\"Y\"");
        Share(updated, _b.Remove(".tasks[0]"));
        Assert.Equal("Yz", Titles());
    }

    [Fact]
    public void Update_delete_and_move_at_once_keep_the_element_where_it_was_moved()
    {
        var c = new Replica(Schemas.Tour, 3);
        var made = Tasks("x", "y", "z");
        Share(made);
        c.Receive(made);
        Delta[] all = [_a.Set(".tasks[0].title", "\"X\""), _b.Remove(".tasks[0]"), c.Move(".tasks", 0, 2)];
        Share(all);
        c.Receive(all.AsSpan());
        Assert.Equal("yzX", Titles());
        Assert.Equal(_a.Json, c.Json);
    }

    [Fact]
    public void An_element_moved_twice_at_once_is_in_one_place()
    {
        Share(Tasks("x", "y", "z"));
        Share(_a.Move(".tasks", 0, 1), _b.Move(".tasks", 0, 2));
        Assert.True(Titles() is "yxz" or "yzx");
        Share(_a.Move(".tasks", Titles().IndexOf('x', StringComparison.Ordinal), 0));
        Assert.Equal("xyz", Titles());
    }

    [Fact]
    public void Elements_appended_at_once_are_both_there_and_one_can_go_between()
    {
        Share(Tasks("x"));
        Share(_a.Insert(".tasks", 1, "{\"title\":\"a\"}"), _b.Insert(".tasks", 1, "{\"title\":\"b\"}"));
        var titles = Titles();
        Share(_a.Insert(".tasks", 2, "{\"title\":\"-\"}"));
        Assert.Equal(titles.Insert(2, "-"), Titles());
    }

    [Fact]
    public void A_removal_is_undone_when_its_part_becomes_void()
    {
        Share(Tasks("x", "y"));
        var before = _a.State.StateHash();
        var removed = _b.Remove(".tasks[0]");
        _a.Receive(removed);
        Assert.Equal("[{\"complete\":false,\"title\":\"y\"}]", _a.Show(".tasks"));
        Assert.True(_a.State.Unapply(removed.Id, 0));
        Assert.False(_a.State.Unapply(removed.Id, 0));
        Assert.Equal(before, _a.State.StateHash());
        Assert.Equal("[{\"complete\":false,\"title\":\"x\"},{\"complete\":false,\"title\":\"y\"}]", _a.Show(".tasks"));
    }

    [Fact]
    public void A_remove_affects_only_what_is_under_its_path()
    {
        var title = _a.Set(".title", "\"a\"");
        var dot = new Dot(title.Id, 0, 0);
        var elsewhere = Schemas.Tour.View.Root.Fields["people"].Storage([]);
        _a.State.Apply(Replica.Id(9, 1), 0, [new Remove(elsewhere, [dot])]);
        Assert.Equal("\"a\"", _a.Show(".title"));
        _a.State.Apply(Replica.Id(9, 2), 0, [new Remove(StoragePath.Root, [dot])]);
        Assert.Equal("null", _a.Show(".title"));
    }

    [Fact]
    public void A_remove_may_come_before_what_it_names()
    {
        var put = _a.Set(".title", "\"a\"");
        var cleared = _a.Set(".title", "null");
        _b.Receive(cleared, put);
        Assert.Equal("null", _b.Show(".title"));
        Assert.Equal(_a.State.StateHash(), _b.State.StateHash());
    }

    [Fact]
    public void An_element_whose_places_were_all_taken_away_stays_at_the_greatest()
    {
        Assert.True(Position.TryFrom([1], out var low) & Position.TryFrom([2], out var middle) & Position.TryFrom([3], out var high));
        var array = Schemas.Everything.View.Root.Fields["matrix"].Storage([]);
        Uid moved = new(1), still = new(2);
        var envelopes = ((ulong[])[1, 2, 3]).Select(i => Replica.Id(9, i)).Order().ToList();
        var state = new DocumentState();
        state.Apply(envelopes[0], 0, [new Place(array, moved, low), new Put(array.Append(Segment.Of(moved)), Value.Null)]);
        state.Apply(envelopes[1], 0, [new Place(array, still, middle), new Put(array.Append(Segment.Of(still)), Value.Null)]);
        state.Apply(envelopes[2], 0, [new Place(array, moved, high)]);
        Assert.Equal([still, moved], state.Elements(array));
        state.Apply(Replica.Id(8, 1), 0, [new Remove(array, [new Dot(envelopes[0], 0, 0), new Dot(envelopes[2], 0, 0)])]);
        Assert.Equal([still, moved], state.Elements(array));
        state.Apply(Replica.Id(8, 2), 0, [new Remove(array.Append(Segment.Of(still)), [new Dot(envelopes[1], 0, 0)])]);
        Assert.Single(state.LiveDots(array), dot => dot.Index == 0);
        state.Unapply(envelopes[2], 0);
        Assert.Equal([moved, still], state.Elements(array));
    }

    [Fact]
    public void Nested_arrays_and_tables_are_edited_in_place()
    {
        var replica = new Replica(Schemas.Everything, 1);
        replica.Set(".byI64[-3].name", "\"n\"");
        replica.Insert(".byI64[-3].tags", 0, "\"b\"");
        replica.Insert(".byI64[-3].tags", 0, "\"a\"");
        replica.Set(".byI64[-3].tags[1]", "null");
        replica.Insert(".matrix", 0, "[1,2,3]");
        replica.Move(".matrix[0]", 2, 0);
        replica.Set(".byBytes[\"AAE=\"]", "[true]");
        replica.Set(".byBytes[\"AAE=\"][0]", "false");
        replica.Set(".byBool[true]", "5");
        replica.Set(".keys[18446744073709551615]", "null");
        Assert.Equal("{\"-3\":{\"name\":\"n\",\"tags\":[\"a\",null]}}", replica.Show(".byI64"));
        Assert.Equal("[[3,1,2]]", replica.Show(".matrix"));
        Assert.Equal("{\"AAE=\":[false]}", replica.Show(".byBytes"));
        Assert.Equal("{\"true\":5}", replica.Show(".byBool"));
        Assert.Equal("{\"18446744073709551615\":null}", replica.Show(".keys"));
    }

    [Fact]
    public void Two_versions_of_a_schema_converge_in_either_view()
    {
        var versions = Tlfs.Core.Schema.TlfsPackage.Compile("""
            x { 0.1.0 { .: Struct .name: MVReg<String> .old: MVReg<u64> .attrs: Struct }
                0.2.0 { .name.plunge(attrs) .attrs.name.rename(title) .old.remove() .new: MVReg<u64> } }
            """).Schemas[0].Versions;
        Replica old = new(versions[0].List, 1), young = new(versions[1].List, 2);
        var first = old.Set(".", "{\"name\":\"a\",\"old\":1}");
        young.Receive(first);
        Delta[] deltas = [young.Set(".attrs.title", "\"b\""), young.Set(".new", "2"), old.Set(".old", "3")];
        old.Receive(deltas.AsSpan());
        young.Receive(deltas.AsSpan());
        Assert.Equal("{\"attrs\":{},\"name\":\"b\",\"old\":3}", old.Json);
        Assert.Equal("{\"attrs\":{\"title\":\"b\"},\"new\":2}", young.Json);
        var replaced = young.Set(".", "{}");
        old.Receive(replaced);
        Assert.Equal("{\"attrs\":{},\"name\":null,\"old\":3}", old.Json);
        Assert.Equal(old.State.StateHash(), young.State.StateHash());
    }

    private Delta Tasks(params string[] titles) => _a.Set(".tasks", "[" + string.Join(",", titles.Select(title => $"{{\"title\":\"{title}\"}}")) + "]");

    private string Titles()
    {
        Assert.Equal(_a.Json, _b.Json);
        return string.Concat(Tlfs.Core.Crdt.Json.Parse(_a.Show(".tasks")).EnumerateArray().Select(task => task.GetProperty("title").GetString()));
    }

    private string Same(string path)
    {
        Assert.Equal(_a.Show(path), _b.Show(path));
        Assert.Equal(_a.State.StateHash(), _b.State.StateHash());
        return _a.Show(path);
    }

    private void Share(params Delta[] deltas)
    {
        _a.Receive(deltas.AsSpan());
        _b.Receive(deltas.AsSpan());
    }
}
