using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// Checks an account's card (docs/protocol/account.md §1) and tells the device it names. Cards hold envelopes, which this layer does not
/// know; the envelope layer supplies the check. It must be a pure function and must not throw for hostile bytes.
/// </summary>
/// <param name="account">The account that the card must prove.</param>
/// <param name="card">The card's bytes, at most <see cref="Limits.CardBytes"/>.</param>
/// <param name="device">The account's device, when true is returned.</param>
public delegate bool CardVerifier(AccountId account, ReadOnlyMemory<byte> card, out PeerId device);

/// <summary>Whom a grant names (docs/protocol/statements.md §2).</summary>
public abstract record Actor
{
    private protected Actor()
    {
    }

    /// <summary>True if the actor stands for this peer.</summary>
    public abstract bool Contains(PeerId peer);

    /// <summary>The one peer that the actor names; null for <see cref="AnyoneActor"/>.</summary>
    public abstract PeerId? Peer { get; }

    internal abstract void Write(CanonicalWriter writer);

    internal static Actor Read(CanonicalReader reader, CardVerifier cards)
    {
        var count = reader.BeginArrayUpTo(3);
        CanonicalReader.Require(count > 0, "actor code expected");
        var code = reader.UInt();
        CanonicalReader.Require(code <= 2, "actor code is not known", Reason.Unsupported);
        CanonicalReader.Require(count == (code switch { 0 => 2, 1 => 3, _ => 1 }), "actor has another number of items");
        Actor actor = code switch
        {
            0 => new PeerActor(reader.Id<PeerId>()),
            1 => ReadAccount(reader, cards),
            _ => AnyoneActor.Instance,
        };
        reader.EndArray();
        return actor;
    }

    private static AccountActor ReadAccount(CanonicalReader reader, CardVerifier cards)
    {
        var account = reader.Id<AccountId>();
        ReadOnlyMemory<byte> card = reader.Bytes(Limits.CardBytes);
        CanonicalReader.Require(cards(account, card, out var device), "card does not prove the account");
        return new(account, device, card);
    }
}

/// <summary>A device or server.</summary>
/// <param name="Id">Its id.</param>
public sealed record PeerActor(PeerId Id) : Actor
{
    /// <inheritdoc />
    public override PeerId? Peer => Id;

    /// <inheritdoc />
    public override bool Contains(PeerId peer) => peer == Id;

    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(2);
        writer.UInt(0);
        writer.Id(Id);
        writer.EndArray();
    }
}

/// <summary>An account. In this version its set of devices is the one device that its card names.</summary>
/// <param name="Account">The account.</param>
/// <param name="Device">The device that the card names; not on the wire.</param>
/// <param name="Card">The verified card.</param>
public sealed record AccountActor(AccountId Account, PeerId Device, ReadOnlyMemory<byte> Card) : Actor
{
    /// <inheritdoc />
    public override PeerId? Peer => Device;

    /// <inheritdoc />
    public override bool Contains(PeerId peer) => peer == Device;

    /// <summary>Equal account, device and bytes of the card.</summary>
    public bool Equals(AccountActor? other) =>
        other is not null && Account == other.Account && Device == other.Device && Card.Span.SequenceEqual(other.Card.Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Account, Device);

    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.UInt(1);
        writer.Id(Account);
        writer.Bytes(Card.Span);
        writer.EndArray();
    }
}

/// <summary>Anyone who asks. May be granted <see cref="Permission.Sync"/> only.</summary>
public sealed record AnyoneActor : Actor
{
    private AnyoneActor()
    {
    }

    /// <summary>The only value.</summary>
    public static AnyoneActor Instance { get; } = new();

    /// <inheritdoc />
    public override PeerId? Peer => null;

    /// <inheritdoc />
    public override bool Contains(PeerId peer) => true;

    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(1);
        writer.UInt(2);
        writer.EndArray();
    }
}
