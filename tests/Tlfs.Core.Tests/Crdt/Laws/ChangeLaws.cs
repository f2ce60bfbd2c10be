using System.Globalization;
using System.Text.Json.Nodes;
using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

/// <summary>Whoever keeps a copy of a document and does to it what the changes say has a copy of the newer document.</summary>
public sealed class ChangeLaws
{
    [Fact]
    public void A_copy_that_follows_the_changes_stays_one() => Parallel.For(0, 10_000, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed + 5_000_000);
        Replica mine = new(Schemas.Everything, (ulong)seed * 2), theirs = new(Schemas.Everything, ((ulong)seed * 2) + 1);
        RandomEdit.Begin([mine, theirs]);
        var (older, copy) = (mine.State.Snapshot(), JsonNode.Parse(mine.Json)!);
        var missing = new Queue<Delta>();
        for (var step = 0; step < 6; step++)
        {
            if (entropy.Below(2) == 0) RandomEdit.Make(mine, entropy);
            else if (RandomEdit.Make(theirs, entropy) is { } delta) missing.Enqueue(delta);
            if (entropy.Below(2) == 0 && missing.TryDequeue(out var arrived)) mine.Receive(arrived);
            if (entropy.Below(3) > 0) continue;
            var newer = mine.State.Snapshot();
            Follow(copy, StateDiff.Between(Schemas.Everything.View, older, newer));
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(mine.Json), copy), $"seed {seed}: {mine.Json} and not {copy.ToJsonString()}");
            older = newer;
        }
    });

    [Fact]
    public void Equal_versions_do_not_differ()
    {
        var replica = new Replica(Schemas.Everything, 1);
        RandomEdit.Begin([replica]);
        Assert.Empty(StateDiff.Between(Schemas.Everything.View, replica.State.Snapshot(), replica.State.Snapshot()));
    }

    [Fact]
    public void A_place_that_is_watched_is_followed_when_it_moves()
    {
        var replica = new Replica(Schemas.Everything, 1);
        RandomEdit.Begin([replica]);
        var at = Location.Resolve(Schemas.Everything.View, replica.State, ".matrix[0]");
        var before = replica.State.Snapshot();
        replica.Move(".matrix", 0, 2);
        replica.Insert(".matrix[2]", 0, "7");
        replica.Insert(".matrix[1]", 0, "8");
        var changes = StateDiff.Between(Schemas.Everything.View, before, replica.State.Snapshot(), at);
        Assert.Equal(
            [(ChangeKind.Move, ".matrix[2]", "[7,1]", ".matrix[0]"), (ChangeKind.Insert, ".matrix[2][0]", "7", null)],
            changes.Select(change => (change.Kind, change.Path, change.Value!, change.From)));
    }

    [Fact]
    public void A_cursor_finds_its_element_again()
    {
        var replica = new Replica(Schemas.Everything, 1);
        RandomEdit.Begin([replica]);
        var cursor = new DocumentCursor(Location.Resolve(Schemas.Everything.View, replica.State, ".matrix[1][0]").Path);
        replica.Insert(".matrix", 0, "[0]");
        replica.Move(".matrix", 2, 0);
        replica.Insert(".matrix[0]", 0, "9");
        Assert.Equal(new CursorPosition(".matrix[0][1]", true), cursor.Locate(Schemas.Everything.View, replica.State));
        replica.Remove(".matrix[0]");
        Assert.Equal(false, cursor.Locate(Schemas.Everything.View, replica.State)?.Exists);
        Assert.True(DocumentCursor.TryParse(cursor.ToString(), out var read));
        Assert.Equal(cursor, read);
        Assert.False(DocumentCursor.TryParse(cursor + "a", out _));
        Assert.False(DocumentCursor.TryParse("cur_!", out _));
    }

    private static void Follow(JsonNode copy, IReadOnlyList<StateChange> changes)
    {
        var taken = new Dictionary<StateChange, JsonNode?>();
        var goers = changes.Where(change => change.Kind is ChangeKind.Remove or ChangeKind.Move)
            .Select(change => (Change: change, Steps: Steps(change.From ?? change.Path))).OrderByDescending(each => each.Steps.Length).ThenByDescending(each => IndexOf(each.Steps));
        foreach (var (change, steps) in goers.ToList()) taken[change] = TakeOut(At(copy, steps[..^1]), steps[^1]);
        foreach (var change in changes.Where(change => change.Kind != ChangeKind.Remove))
        {
            var steps = Steps(change.Path);
            var value = change.Kind == ChangeKind.Move ? taken[change] : JsonNode.Parse(change.Value!);
            Put(At(copy, steps[..^1]), steps[^1], value, change.Kind == ChangeKind.Update);
        }
    }

    private static int IndexOf(string[] steps) => int.TryParse(steps[^1], CultureInfo.InvariantCulture, out var index) ? index : 0;

    private static string[] Steps(string path) => [.. PathText.Parse(path).Select(step => step.Name ?? step.Key)];

    private static JsonNode At(JsonNode node, string[] steps) =>
        steps.Aggregate(node, (at, step) => at is JsonArray array ? array[int.Parse(step, CultureInfo.InvariantCulture)]! : at[step]!);

    private static JsonNode? TakeOut(JsonNode node, string step)
    {
        var taken = node is JsonArray list ? list[int.Parse(step, CultureInfo.InvariantCulture)] : node[step];
        if (node is JsonArray array) array.RemoveAt(int.Parse(step, CultureInfo.InvariantCulture));
        else Assert.True(node.AsObject().Remove(step));
        return taken;
    }

    private static void Put(JsonNode node, string step, JsonNode? value, bool replace)
    {
        if (node is not JsonArray array) node[step] = value;
        else if (replace) array[int.Parse(step, CultureInfo.InvariantCulture)] = value;
        else array.Insert(int.Parse(step, CultureInfo.InvariantCulture), value);
    }
}
