using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Models;

/// <summary>The state against the words of docs/protocol/operations.md §4, read naively over the set of all applied operations.</summary>
public sealed class StateModel
{
    [Fact]
    public void The_state_is_what_the_protocol_says() => Parallel.For(0, 1_000, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed + 4_000_000);
        var replicas = Enumerable.Range(0, 3).Select(i => new Replica(Schemas.Everything, ((ulong)seed * 4) + (ulong)i)).ToList();
        var deltas = new List<Delta> { RandomEdit.Begin(replicas) };
        for (var i = 0; i < 14; i++)
        {
            if (RandomEdit.Make(replicas[entropy.Below(3)], entropy) is { } delta) deltas.Add(delta);
            if (i % 3 == 2) replicas[entropy.Below(3)].Receive(deltas.ToArray().AsSpan());
        }

        replicas[0].Receive(deltas.ToArray().AsSpan());
        Check(replicas[0].State, deltas);
    });

    private static void Check(DocumentState state, List<Delta> deltas)
    {
        var all = deltas.SelectMany(delta => delta.Operations.Select((operation, i) => (Dot: new Dot(delta.Id, 0, (uint)i), Operation: operation))).ToList();
        var removes = all.Select(entry => entry.Operation).OfType<Remove>().ToList();
        bool Live(Dot dot, StoragePath path) => !removes.Exists(remove => remove.Path.Contains(path) && remove.Dots.Contains(dot));

        var puts = all.Where(entry => entry.Operation is Put).Select(entry => (entry.Dot, Put: (Put)entry.Operation)).ToList();
        var live = puts.Where(entry => Live(entry.Dot, entry.Put.Path)).OrderBy(entry => entry.Dot).ToList();
        var places = all.Where(entry => entry.Operation is Place).Select(entry => (entry.Dot, Place: (Place)entry.Operation)).OrderBy(entry => entry.Dot).ToList();
        Assert.Equal(live.Count, state.EntryCount);
        foreach (var path in puts.Select(entry => entry.Put.Path).Distinct())
        {
            Assert.Equal(live.Where(entry => entry.Put.Path.Equals(path)).Select(entry => new LivePut(entry.Dot, entry.Put.Value)), state.Puts(path));
            Assert.Equal(live.Exists(entry => path.Contains(entry.Put.Path)), state.Exists(path));
        }

        foreach (var array in places.GroupBy(entry => entry.Place.Path))
        {
            var shown = array.GroupBy(entry => entry.Place.Element)
                .Where(element => live.Exists(entry => array.Key.Append(Segment.Of(element.Key)).Contains(entry.Put.Path)))
                .Select(element => (Uid: element.Key, Deciding: element.Where(entry => Live(entry.Dot, array.Key)).DefaultIfEmpty(element.Last()).Last()))
                .OrderBy(element => element.Deciding.Place.Position).ThenBy(element => element.Uid);
            Assert.Equal(shown.Select(element => element.Uid), state.Elements(array.Key));
        }

        var named = live.Select(entry => entry.Dot).Concat(places.Where(entry => Live(entry.Dot, entry.Place.Path)).Select(entry => entry.Dot));
        Assert.Equal(named.Order(), state.LiveDots(StoragePath.Root));
    }
}
