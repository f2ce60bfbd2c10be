using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing.Keys;

/// <summary>Who can derive which content keys from everything that a server has, by real keyrings, by the key graph, and by what the rights say.</summary>
public sealed class KeyLawsTests
{
    private const int Worlds = 150;

    [Fact]
    public void P9_In_step_everybody_holds_exactly_the_keys_that_the_rights_say()
    {
        for (var seed = 0UL; seed < Worlds; seed++)
        {
            using var world = new KeyWorld(8_000 + seed);
            world.Sync();
            for (var step = 0; step < 20; step++)
            {
                world.Act(world.Below(KeyWorld.People));
                world.Sync();
                world.Tidy(0);
                world.Sync();
                for (var person = 0; person < KeyWorld.People; person++) Assert.Equal(ByRights(world, person), Held(world, world.Rings[person]));
            }

            CheckLateReaders(world);
        }
    }

    [Fact]
    public void P9_However_people_act_at_the_same_time_keyrings_and_the_key_graph_agree()
    {
        for (var seed = 0UL; seed < Worlds; seed++)
        {
            using var world = new KeyWorld(9_000 + seed);
            for (var step = 0; step < 30; step++)
            {
                world.Act(world.Below(KeyWorld.People));
                if (world.Below(3) == 0) world.Sync(world.Below(KeyWorld.People));
            }

            CheckLateReaders(world);
            world.Sync();
            world.Tidy(0);
            world.Sync();
            for (var person = 0; person < KeyWorld.People; person++) Assert.Equal(Model(world, person), Held(world, world.Rings[person]));
            CheckLateReaders(world);
            CheckNothingAfterTheEnd(world);
        }
    }

    [Fact]
    public void P5_No_key_made_after_a_revocation_is_derivable_by_who_was_revoked()
    {
        var later = 0;
        for (var seed = 0UL; seed < Worlds; seed++)
        {
            using var world = new KeyWorld(10_000 + seed);
            world.Sync();
            for (var step = 0; step < 12; step++)
            {
                world.Act(0);
                world.Sync();
            }

            foreach (var right in world.AllRights.Where(right => right.Person == 1 && right.End is null).ToArray()) world.EndRight(0, right);
            world.Sync();
            var epochs = world.Epochs.Count();
            var before = Model(world, 1);
            for (var step = 0; step < 8; step++)
            {
                if (step % 2 == 0) foreach (var zone in world.Paths.Keys.ToArray()) world.NewEpoch(0, zone);
                else world.GiveRight(0, 2 + world.Below(2), world.Any([.. world.Paths.Keys]), world.Below(2) == 0);
                world.Sync();
            }

            Assert.Equal(before, Model(world, 1));
            Assert.Equal(before, Held(world, world.Rings[1]));
            later += world.Epochs.Count() - epochs;
        }

        Assert.InRange(later, Worlds, int.MaxValue);
    }

    [Fact]
    public void P10_From_now_on_means_no_earlier_content_key_and_no_history_key()
    {
        for (var seed = 0UL; seed < Worlds; seed++)
        {
            using var world = new KeyWorld(11_000 + seed);
            world.Sync();
            for (var step = 0; step < 8; step++)
            {
                world.Act(0);
                world.Sync();
            }

            foreach (var right in world.AllRights.Where(right => right.Person == 3 && right.End is null).ToArray()) world.EndRight(0, right);
            using var late = world.NewRing(3);
            var past = world.Statements.Count;
            var given = world.GiveRight(0, 3, world.Any([.. world.Paths.Keys]), fromNow: true);
            for (var step = 0; step < 8; step++)
            {
                world.NewEpoch(0, world.Any([.. world.Paths.Keys]));
                world.Tidy(0);
                world.Sync();
            }

            foreach (var (id, body) in world.Statements) late.Add(id, body);
            foreach (var (id, body) in world.Epochs)
            {
                var isCovered = world.IsAtOrAbove(given.Zone, body.Zone);
                var isLater = world.TimeOf(id) > given.Start;
                if (world.AllRights.All(right => right == given || right.Person != 3)) Assert.Equal(isCovered && isLater, late.ContentKey(body.Zone, id, out _) is not null);
                if (isLater) Assert.False(late.HasHistory(id));
            }

            Assert.True(past < world.Statements.Count);
        }
    }

    // Whoever is handed all statements at once, in any order, derives the same; several together derive no more than each by itself.
    private static void CheckLateReaders(KeyWorld world)
    {
        var together = new HashSet<EnvelopeId>();
        for (var person = 0; person < KeyWorld.People; person++)
        {
            using var ring = world.NewRing(person);
            foreach (var (id, body) in world.Statements.OrderBy(_ => world.Below(1 << 20)).ToArray()) ring.Add(id, body);
            var held = Held(world, ring);
            Assert.Equal(Model(world, person), held);
            if (person > 0) together.UnionWith(held);
            foreach (var (zone, path) in world.Paths)
            {
                var knows = zone == ZoneId.Root || world.Epochs.Any(epoch => epoch.Body.Zone == zone && held.Contains(epoch.Id));
                Assert.Equal(knows ? new ZonePlace(path, false) : null, ring.Place(zone));
            }
        }

        Bytes32[] coalition = [.. Enumerable.Range(1, KeyWorld.People - 1).Select(Account)];
        Assert.Equal(KeyModel.Derivable(world.Statements, coalition).Order(), together.Order());
    }

    // Of whatever somebody derives, some right covers it: not revoked before the epoch was made and, if it is from now on, given before.
    private static void CheckNothingAfterTheEnd(KeyWorld world)
    {
        for (var person = 0; person < KeyWorld.People; person++)
        {
            foreach (var epoch in Model(world, person))
            {
                var zone = world.Epochs.First(each => each.Id == epoch).Body.Zone;
                Assert.Contains(world.AllRights, right =>
                    right.Person == person && world.IsAtOrAbove(right.Zone, zone) && (right.End is not { } end || !world.IsInPast(end, epoch))
                    && (!right.FromNow || world.IsInPast(right.Start, epoch)));
            }
        }
    }

    private static Bytes32 Account(int person) => Documents.People.At(person).Card.Account.Value;

    private static EnvelopeId[] Model(KeyWorld world, int person) => [.. KeyModel.Derivable(world.Statements, [Account(person)]).Order()];

    private static EnvelopeId[] Held(KeyWorld world, Keyring ring) =>
        [.. world.Epochs.Where(epoch => ring.ContentKey(epoch.Body.Zone, epoch.Id, out _) is not null).Select(epoch => epoch.Id).Order()];

    private static EnvelopeId[] ByRights(KeyWorld world, int person) => [.. world.Epochs
        .Where(epoch => world.AllRights.Exists(right =>
            right.Person == person && world.IsAtOrAbove(right.Zone, epoch.Body.Zone)
            && world.TimeOf(epoch.Id) < (right.End ?? int.MaxValue) && (!right.FromNow || world.TimeOf(epoch.Id) > right.Start)))
        .Select(epoch => epoch.Id).Order()];
}
