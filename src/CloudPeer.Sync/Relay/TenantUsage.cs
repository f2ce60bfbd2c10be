using System.Text;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Kinds of shares of a tenant's room that are counted one by one.</summary>
[Flags]
public enum ShareKinds
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>What each author wrote.</summary>
    Authors = 1,
    /// <summary>What the documents of each app use.</summary>
    Apps = 2,
}

/// <summary>A share of a tenant's room: that of an author or that of an app.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Author">The author, of an author's.</param>
/// <param name="App">The app, of an app's; else empty.</param>
public readonly record struct UsageShare(ShareKinds Kind, PeerId Author, string App)
{
    /// <summary>An author's share.</summary>
    public static UsageShare Of(PeerId author) => new(ShareKinds.Authors, author, string.Empty);

    /// <summary>An app's share.</summary>
    public static UsageShare Of(string app) => new(ShareKinds.Apps, default, app);

    /// <summary>Whose share it is, for storage.</summary>
    public byte[] ToHolder() => Kind == ShareKinds.Authors ? Author.Value.ToArray() : Encoding.UTF8.GetBytes(App);

    /// <summary>Reads <see cref="ToHolder"/> back.</summary>
    public static UsageShare From(ShareKinds kind, byte[] holder) =>
        kind == ShareKinds.Authors ? Of(Id.From<PeerId>(holder)) : Of(Encoding.UTF8.GetString(holder));
}

/// <summary>What a tenant uses: one row of the store, locked by every commit to its documents, and therefore exact (sync.md §6.3).</summary>
/// <param name="StoredBytes">The sum over its documents.</param>
/// <param name="Documents">Their number.</param>
/// <param name="Day">The day of <paramref name="EnvelopesToday"/>: days since 1970, UTC.</param>
/// <param name="EnvelopesToday">Envelopes stored on that day, also in documents that were deleted since.</param>
/// <param name="Counted">
/// The shares of the room that are counted now. They are counted from the documents when a limit can first matter, and kept from then on as long as there is
/// such a limit: other tenants' commits write no row for them (docs/adr/0008).
/// </param>
public sealed record TenantUsage(ulong StoredBytes, ulong Documents, uint Day, ulong EnvelopesToday, ShareKinds Counted)
{
    private const ulong MicrosOfDay = 24UL * 60 * 60 * 1_000_000;

    /// <summary>A tenant without documents.</summary>
    public static TenantUsage Empty { get; } = new(0, 0, 0, 0, ShareKinds.None);

    /// <summary>The use as it is at a time, microseconds since 1970: a new day begins with no envelopes. A clock that goes back begins none.</summary>
    public TenantUsage At(ulong micros)
    {
        var day = (uint)(micros / MicrosOfDay);
        return day > Day ? this with { Day = day, EnvelopesToday = 0 } : this;
    }

    /// <summary>How long the day of <see cref="Day"/> lasts from a time on.</summary>
    public TimeSpan UntilMidnight(ulong micros)
    {
        var end = (Day + 1) * MicrosOfDay;
        return TimeSpan.FromMicroseconds(end > micros ? end - micros : 0);
    }
}

/// <summary>What a transaction makes of a tenant's use.</summary>
/// <param name="Account">The tenant.</param>
/// <param name="Usage">Its row.</param>
/// <param name="Recounted">The kinds of which <paramref name="Shares"/> has all there are; of the others it has those that change.</param>
/// <param name="Shares">Bytes of shares.</param>
public sealed record UsageChange(AccountId Account, TenantUsage Usage, ShareKinds Recounted, IReadOnlyDictionary<UsageShare, ulong> Shares);

/// <summary>A tenant's use as it is stored and as its documents say, at one moment.</summary>
/// <param name="Stored">The stored row.</param>
/// <param name="StoredShares">The stored shares, of all kinds.</param>
/// <param name="Bytes">The sum over its documents.</param>
/// <param name="Documents">Their number.</param>
/// <param name="Shares">The shares of all authors and apps.</param>
public sealed record TenantCount(
    TenantUsage Stored,
    IReadOnlyDictionary<UsageShare, ulong> StoredShares,
    ulong Bytes,
    ulong Documents,
    IReadOnlyDictionary<UsageShare, ulong> Shares)
{
    /// <summary>True if what is stored is what the documents say. A share that is not stored is 0.</summary>
    public bool IsExact => Stored.StoredBytes == Bytes && Stored.Documents == Documents
        && Stored.Counted.Has(ShareKinds.Authors, ShareKinds.Apps).All(kind => StoredShares.Keys.Union(Shares.Keys).Where(share => share.Kind == kind)
            .All(share => StoredShares.GetValueOrDefault(share) == Shares.GetValueOrDefault(share)));
}

/// <summary>A document's bytes as its state says and as its envelopes say, at one moment.</summary>
/// <param name="State">The state.</param>
/// <param name="Envelopes">Envelopes in the log.</param>
/// <param name="AuthorBytes">Their bytes, by author.</param>
public sealed record DocumentCount(DocumentState State, ulong Envelopes, IReadOnlyDictionary<PeerId, ulong> AuthorBytes)
{
    /// <summary>Bytes of all envelopes.</summary>
    public ulong Bytes => AuthorBytes.Values.Aggregate(0UL, (sum, bytes) => sum + bytes);

    /// <summary>True if the state says what the envelopes say.</summary>
    public bool IsExact => State.Size == Envelopes && State.StoredBytes == Bytes && State.Tips.Count == AuthorBytes.Count
        && State.Tips.All(tip => AuthorBytes.GetValueOrDefault(tip.Key) == tip.Value.StoredBytes);

    /// <summary>The state with the envelopes' bytes.</summary>
    public DocumentState Corrected => State with
    {
        StoredBytes = Bytes,
        Tips = State.Tips.SetItems(State.Tips.Select(tip => KeyValuePair.Create(tip.Key, tip.Value with { StoredBytes = AuthorBytes.GetValueOrDefault(tip.Key) }))),
    };
}

/// <summary>A document that a tenant hosts.</summary>
/// <param name="Document">The document.</param>
/// <param name="StoredBytes">Bytes of its envelopes.</param>
/// <param name="Envelopes">Their number.</param>
/// <param name="App">The app that brought it; empty if none said so.</param>
public sealed record HostedDocument(DocId Document, ulong StoredBytes, ulong Envelopes, string App);

internal static class ShareKindSet
{
    /// <summary>Those of the given kinds that the set has.</summary>
    public static IEnumerable<ShareKinds> Has(this ShareKinds set, params IEnumerable<ShareKinds> kinds) => kinds.Where(kind => set.HasFlag(kind));
}
