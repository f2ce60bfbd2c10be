using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Random well-formed statements, and the card check that goes with them.</summary>
internal static class StatementDice
{
    /// <summary>A card of these tests: the device's id, then anything.</summary>
    public static bool VerifyCard(AccountId account, ReadOnlyMemory<byte> card, out PeerId device)
    {
        device = default;
        if (card.Length < 32) return false;
        device = Id.From<PeerId>(card.Span[..32]);
        return true;
    }

    /// <summary>The proof of these tests: two headers that begin with the same id, which is that of the author.</summary>
    public static bool VerifyFork(SignedHeader first, SignedHeader second, out Fork fork)
    {
        fork = default;
        if (first.Header.Length < 32 || second.Header.Length < 32 || first.Header.Span.SequenceEqual(second.Header.Span)) return false;
        if (!first.Header.Span[..32].SequenceEqual(second.Header.Span[..32])) return false;
        fork = new(Id.From<DocId>(first.Header.Span[..32]), Id.From<PeerId>(first.Header.Span[..32]), (ulong)first.Header.Length);
        return true;
    }

    public static Equivocation Equivocation(this Dice dice, int bytes)
    {
        var author = dice.Bytes(32);
        SignedHeader Header() => new((byte[])[.. author, .. dice.Bytes(bytes - 32)], dice.Bytes(64));
        var (first, second) = (Header(), new SignedHeader((byte[])[.. author, .. dice.Bytes(33)], dice.Bytes(64)));
        return VerifyFork(first, second, out var fork) ? new(first, second, fork) : throw new InvalidOperationException();
    }

    public static Statement Statement(this Dice dice) => dice.Next(9) switch
    {
        0 => new Genesis(new(dice.Bytes32()), (DocumentKind)dice.Next(2), dice.Actor()),
        1 => dice.Grant(),
        2 => new Revoke(new(dice.Bytes32()), dice.Percent(50) ? new GrantId(dice.Bytes32()) : null, dice.Cuts(dice.Next(5))),
        3 => new Renounce(new(dice.Bytes32())),
        4 => dice.Rotate(),
        5 => dice.Wrap(),
        6 => new ZoneCreate(dice.Zone(), new(dice.Bytes32()), dice.Bytes32()),
        7 => dice.Equivocation(dice.Between(32, 60)),
        _ => dice.AccountKey(),
    };

    public static IReadOnlyList<Cut> Cuts(this Dice dice, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new Cut(new(dice.Bytes32()), 1 + (ulong)dice.Next(1000), new(dice.Bytes32()))).OrderBy(cut => cut.Author)];

    public static IReadOnlyList<KeyWrap> Wraps(this Dice dice, int count) => [.. Enumerable.Range(0, count).Select(_ => dice.KeyWrap()).Order()];

    public static IReadOnlyList<HistWrap> HistWraps(this Dice dice, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new HistWrap(new(dice.Bytes32()), dice.Bytes(HistWrap.SealedBytes))).Order()];

    public static KeyWrap KeyWrap(this Dice dice) =>
        new(
            (RecipientKind)dice.Next(2), dice.Bytes32(), (uint)dice.Next(5), dice.Bytes32(),
            dice.Bytes(dice.Percent(50) ? Core.Policy.KeyWrap.CiphertextBytes : Core.Policy.KeyWrap.ContentKeyOnlyBytes));

    public static IReadOnlyList<ParentWrap> ParentWraps(this Dice dice, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new ParentWrap(new(dice.Bytes32()), dice.Bytes(ParentWrap.SealedBytes), dice.Bytes(ParentWrap.SealedBytes))).Order()];

    public static ZoneId Zone(this Dice dice) => dice.Percent(50) ? ZoneId.Root : new EnvelopeId(dice.Bytes32()).Zone;

    private static Grant Grant(this Dice dice)
    {
        var (actor, permission) = (dice.Actor(), (Permission)dice.Next(5));
        GrantId? parent = dice.Percent(50) ? new GrantId(dice.Bytes32()) : null;
        return new(actor, permission, dice.Zone(), parent)
        {
            Sub = permission == Permission.Write && dice.Percent(50) ? new(dice.Bytes32(), new(dice.Bytes32()), dice.Bytes(dice.Next(80))) : null,
            FromNow = actor is AccountActor && permission >= Permission.Read && dice.Percent(50),
        };
    }

    private static Wrap Wrap(this Dice dice)
    {
        var zone = dice.Zone();
        return new(zone, new(dice.Bytes32()), dice.Wraps(dice.Next(4)), dice.HistWraps(dice.Next(3)))
        {
            ParentWraps = dice.ParentWraps(zone == ZoneId.Root ? 0 : dice.Next(3)),
        };
    }

    private static Rotate Rotate(this Dice dice)
    {
        EnvelopeId[] previous = [.. Enumerable.Range(0, dice.Next(4)).Select(_ => new EnvelopeId(dice.Bytes32())).Order()];
        var number = previous.Length == 0 ? 0 : dice.Between(1, Limits.Statements - 1);
        var zone = dice.Zone();
        return new(zone, number, previous, dice.Bytes32(), dice.Bytes32(), dice.Wraps(dice.Next(4)), dice.HistWraps(dice.Next(3)))
        {
            ParentWraps = dice.ParentWraps(zone == ZoneId.Root ? 0 : dice.Next(3)),
            SealedPath = zone == ZoneId.Root ? default(ReadOnlyMemory<byte>?) : dice.Bytes(dice.Next(80)),
        };
    }

    private static AccountKey AccountKey(this Dice dice)
    {
        var generation = dice.Next(100);
        return new((uint)generation, dice.Bytes32(), (uint)dice.Next(generation + 1));
    }

    private static Actor Actor(this Dice dice)
    {
        var device = dice.Bytes32();
        return dice.Next(3) switch
        {
            0 => new PeerActor(new(device)),
            1 => new AccountActor(new(dice.Bytes32()), new(device), (byte[])[.. device.ToArray(), .. dice.Bytes(dice.Next(40))]),
            _ => AnyoneActor.Instance,
        };
    }
}
