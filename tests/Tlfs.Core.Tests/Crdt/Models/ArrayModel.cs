using System.Globalization;
using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Models;

/// <summary>An array against a plain list.</summary>
public sealed class ArrayModel
{
    private static readonly LensList Numbers = Schemas.Latest("x { 0.1.0 { .: Array .[]: MVReg<u64> } }");

    [Fact]
    public void An_array_does_what_a_list_does() => Parallel.For(0, 200, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed);
        var replica = new Replica(Numbers, (ulong)seed);
        var model = new List<int>();
        for (var i = 0; i < 120; i++)
        {
            var at = entropy.Below(model.Count + 1);
            switch (model.Count == 0 ? 0 : entropy.Below(5))
            {
                case 0 or 1:
                    replica.Insert(".", at, Text(i));
                    model.Insert(at, i);
                    break;
                case 2 when at < model.Count:
                    replica.Remove($".[{at}]");
                    model.RemoveAt(at);
                    break;
                case 3 when at < model.Count:
                    replica.Set($".[{at}]", Text(i));
                    model[at] = i;
                    break;
                default:
                    var to = entropy.Below(model.Count);
                    if (at == model.Count || at == to) break;
                    replica.Move(".", at, to);
                    var moved = model[at];
                    model.RemoveAt(at);
                    model.Insert(to, moved);
                    break;
            }

            Assert.Equal("[" + string.Join(",", model) + "]", replica.Json);
        }
    });

    [Fact]
    public void Elements_at_equal_positions_make_room()
    {
        var replica = new Replica(Numbers, 1);
        Assert.True(Position.TryFrom([0x80], out var position));
        var operations = Enumerable.Range(1, 20).SelectMany(i => Element(i, position)).ToList();
        replica.Receive(new Delta(Replica.Id(7, 7), operations));
        replica.Insert(".", 10, "100");
        Assert.Equal("[1,2,3,4,5,6,7,8,9,10,100,11,12,13,14,15,16,17,18,19,20]", replica.Json);
        replica.Move(".", 0, 5);
        replica.Insert(".", 0, "0");
        Assert.Equal("[0,2,3,4,5,6,1,7,8,9,10,100,11,12,13,14,15,16,17,18,19,20]", replica.Json);
    }

    [Fact]
    public void A_hostile_element_at_the_very_end_can_be_appended_to()
    {
        var replica = new Replica(Numbers, 1);
        var last = new byte[Limits.PositionBytes];
        last.AsSpan().Fill(0xFF);
        Assert.True(Position.TryFrom(last, out var position));
        replica.Receive(new Delta(Replica.Id(7, 7), [.. Element(1, position), .. Element(2, position)]));
        replica.Insert(".", 2, "3");
        replica.Insert(".", 3, "4");
        replica.Insert(".", 0, "0");
        Assert.Equal("[0,1,2,3,4]", replica.Json);
    }

    [Fact]
    public void Thousands_of_insertions_between_the_last_two_find_room()
    {
        var replica = new Replica(Numbers, 1);
        replica.Set(".", "[0,0]");
        var at = 1;
        for (var i = 1; i <= 1_500; i++)
        {
            replica.Insert(".", at, Text(i));
            if (i % 2 == 0) at++;
        }

        Assert.Equal(1_502, replica.State.Elements(StoragePath.Root).Count);
    }

    private static IEnumerable<Operation> Element(int number, Position position)
    {
        var uid = new Uid((ulong)number);
        return [new Place(StoragePath.Root, uid, position), new Put(StoragePath.Root.Append(Segment.Of(uid)), Value.Of((ulong)number))];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
