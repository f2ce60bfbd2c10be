using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Sealing.Keys;

/// <summary>Single rules of keyrings (docs/protocol/statements.md §5, §6), each by an example.</summary>
public sealed class KeyringTests
{
    private static readonly DocId Document = new(new(new SeededEntropy(80).Bytes(32)));

    private readonly SeededEntropy _entropy = new(81);

    [Fact]
    public void An_epoch_that_a_later_history_key_opens_for_somebody_else_is_not_sealed_under()
    {
        using var ann = new Keyring(Document, People.Ann);
        var first = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var second = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card), new(People.Bob.Card)]));
        Assert.Equal(second, ann.Choose(ZoneId.Root, Accounts(People.Ann, People.Bob)));
        Assert.Null(ann.Choose(ZoneId.Root, Accounts(People.Ann)));
        var third = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        Assert.Equal(third, ann.Choose(ZoneId.Root, Accounts(People.Ann)));
        Assert.NotNull(ann.ContentKey(ZoneId.Root, first, out _));
    }

    [Fact]
    public void An_epoch_that_the_zone_above_opens_for_somebody_else_is_not_sealed_under()
    {
        using var ann = new Keyring(Document, People.Ann);
        var above = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card), new(People.Bob.Card, HasHistory: false)]));
        var zone = Make(ann, ZoneId.Root, out var place);
        var inner = State(ann, ann.NewEpoch(_entropy, zone, [new(People.Cid.Card)], above, place));
        Assert.Equal(inner, ann.Choose(zone, Accounts(People.Ann, People.Bob, People.Cid)));
        Assert.Null(ann.Choose(zone, Accounts(People.Ann, People.Cid)));
        Assert.Null(ann.Choose(zone, Accounts(People.Ann, People.Bob)));
    }

    [Fact]
    public void Keys_count_in_their_own_zone_only()
    {
        using var ann = new Keyring(Document, People.Ann);
        var above = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var zone = Make(ann, ZoneId.Root, out var place);
        var inner = State(ann, ann.NewEpoch(_entropy, zone, [], above, place));
        Assert.NotNull(ann.ContentKey(zone, inner, out _));
        Assert.Null(ann.ContentKey(ZoneId.Root, inner, out var reason));
        Assert.Equal(Reason.KeyMissing, reason);
        Assert.Null(ann.ContentKey(zone, above, out _));
        Assert.False(ann.IsLockedIn(zone));
        using var bob = new Keyring(Document, People.Bob);
        Assert.False(bob.IsLocked || bob.IsLockedIn(zone));
        bob.Add(above, new Rotate(ZoneId.Root, 0, [], default, default, [], []));
        Assert.True(bob.IsLocked && bob.IsLockedIn(ZoneId.Root) && !bob.IsLockedIn(zone));
    }

    [Fact]
    public void U2_A_key_that_opens_but_is_not_the_committed_one_is_a_dispute()
    {
        using var ann = new Keyring(Document, People.Ann);
        using var bob = new Keyring(Document, People.Bob);
        var good = ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card), new(People.Bob.Card)]);
        var other = ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Bob.Card)]);

        // The wrap opens only if it is made for the commitment: so the liar makes one for that, with other keys in it.
        using var wrong = SecretKey.Random(_entropy);
        var wrap = new EpochContext(Document, ZoneId.Root, good.Commit).WrapFor(_entropy, People.Bob.Card, wrong, wrong);
        using var opened = new EpochContext(Document, ZoneId.Root, good.Commit).Unwrap(People.Bob, wrap);
        Assert.NotNull(opened);
        foreach (var lie in (Rotate[])[good with { Wraps = [wrap] }, good with { Wraps = other.Wraps }])
        {
            bob.Reset();
            var id = State(bob, lie);
            Assert.Null(bob.ContentKey(ZoneId.Root, id, out var reason));
            Assert.Equal(Reason.KeyDispute, reason);
            State(bob, new Wrap(ZoneId.Root, id, good.Wraps, []));
            Assert.NotNull(bob.ContentKey(ZoneId.Root, id, out _));
        }
    }

    [Fact]
    public void A_zone_has_the_place_that_was_committed_to_or_none()
    {
        using var ann = new Keyring(Document, People.Ann);
        var above = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var zone = Make(ann, ZoneId.Root, out var place);
        Assert.Null(ann.Place(zone));
        State(ann, ann.NewEpoch(_entropy, zone, [], above, PathOpening.Hide(_entropy, place.Path)));
        Assert.Null(ann.Place(zone));
        var chosen = State(ann, ann.NewEpoch(_entropy, zone, [], above, place));
        Assert.Equal(new ZonePlace(place.Path, false), ann.Place(zone));
        var inside = Make(ann, zone, out var same, place.Path);
        State(ann, ann.NewEpoch(_entropy, inside, [], chosen, same));
        Assert.Equal(new ZonePlace(place.Path, true), ann.Place(inside));
        var deeper = Make(ann, inside, out var below, place.Path.Append(Segment.Of(true)));
        State(ann, ann.NewEpoch(_entropy, deeper, [new(People.Ann.Card)], null, below));
        Assert.Equal(new ZonePlace(below.Path, true), ann.Place(deeper));
        Assert.Equal(ZonePlace.Root, ann.Place(ZoneId.Root));
        Assert.Equal([ZoneId.Root, zone, inside, deeper], ann.Zones);
    }

    [Fact]
    public void The_hidden_path_of_a_grant_opens_for_readers_of_its_zone_and_only_as_committed()
    {
        using var ann = new Keyring(Document, People.Ann);
        var epoch = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var opening = PathOpening.Hide(_entropy, StoragePath.Of([Segment.Of("table"), Segment.Of(7UL)]));
        var sub = ann.SealSub(_entropy, epoch, opening);
        Assert.Equal(opening, ann.OpenSub(ZoneId.Root, sub));
        Assert.Null(ann.OpenSub(ZoneId.Root, sub with { Commit = PathOpening.Hide(_entropy, opening.Path).SubCommit(Document) }));
        var changed = sub.Sealed.ToArray();
        changed[30] ^= 1;
        Assert.Null(ann.OpenSub(ZoneId.Root, sub with { Sealed = changed }));
        Assert.Null(ann.OpenSub(ZoneId.Root, sub with { Epoch = default }));
        Assert.NotEqual(opening.SubCommit(Document), opening.ZoneCommit(Document));
        Assert.DoesNotContain(Convert.ToHexString(opening.Salt.ToArray()), opening.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_path_too_long_to_seal_is_refused()
    {
        using var ann = new Keyring(Document, People.Ann);
        var epoch = State(ann, ann.NewEpoch(_entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var (zone, path) = (ZoneId.Root, StoragePath.Root);
        var refused = Assert.Throws<TlfsException>(() =>
        {
            for (var depth = 0; depth < Limits.ZoneDepth; depth++)
            {
                path = path.Append(Segment.Of(new byte[20 + depth]));
                zone = Make(ann, zone, out var place, path);
                epoch = State(ann, ann.NewEpoch(_entropy, zone, [], epoch, place));
            }
        });
        Assert.Equal(Reason.TooLarge, refused.Reason);
    }

    private EnvelopeId State(Keyring ring, Statement body)
    {
        var id = new EnvelopeId(new(_entropy.Bytes(32)));
        ring.Add(id, body);
        return id;
    }

    private ZoneId Make(Keyring ring, ZoneId parent, out PathOpening place, StoragePath? path = null)
    {
        place = PathOpening.Hide(_entropy, path ?? StoragePath.Of([Segment.Of(new FieldId(5))]));
        return State(ring, new ZoneCreate(parent, default, place.ZoneCommit(Document))).Zone;
    }

    private static HashSet<Bytes32> Accounts(params AccountKeys[] people) => [.. people.Select(person => person.Card.Account.Value)];
}
