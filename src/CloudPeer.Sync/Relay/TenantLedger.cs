using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// What a tenant uses as a group commit has made it so far, and whether more fits (sync.md §6.2). The tenant's row is locked, so what it decides is exact
/// also when other processes store for the same tenant.
/// </summary>
internal sealed class TenantLedger
{
    private readonly ulong _micros;
    private readonly Dictionary<UsageShare, ulong> _before = [];
    private readonly Dictionary<UsageShare, ulong> _added = [];
    private ShareKinds _recounted;

    /// <param name="tenant">Whose room it is.</param>
    /// <param name="usage">Its row; null if it has none.</param>
    /// <param name="micros">The commit's time.</param>
    public TenantLedger(TenantInfo tenant, TenantUsage? usage, ulong micros)
    {
        _micros = micros;
        Tenant = tenant;
        var stored = (usage ?? TenantUsage.Empty).At(micros);
        Usage = stored with { Counted = stored.Counted & tenant.Limits.Shares };
    }

    public TenantInfo Tenant { get; }

    /// <summary>The use so far.</summary>
    public TenantUsage Usage { get; private set; }

    /// <summary>True if shares were counted that were not counted before.</summary>
    public bool HasRecounted => _recounted != ShareKinds.None;

    /// <summary>What is to be written of it.</summary>
    public UsageChange Change => new(Tenant.Account, Usage, _recounted, Changed());

    /// <summary>Reads the counted shares that the commit may touch.</summary>
    public async Task LoadAsync(IRelayTransaction transaction, IEnumerable<UsageShare> touched)
    {
        if (Usage.Counted == ShareKinds.None) return;
        var wanted = touched.Where(share => Usage.Counted.HasFlag(share.Kind)).ToHashSet();
        if (wanted.Count == 0) return;
        foreach (var (share, bytes) in await transaction.FindSharesAsync(Tenant.Account, wanted, CancellationToken.None).ConfigureAwait(false)) _before[share] = bytes;
    }

    /// <summary>Begins to count shares once a limit on them can matter for a bundle: below its share of the room nobody can be past it.</summary>
    public async Task CountAsync(IRelayStore store, PendingBundle bundle, string app)
    {
        var limits = Tenant.Limits;
        var needed = limits.AuthorBytes > 0 && Usage.StoredBytes + (ulong)bundle.Bytes > limits.AuthorBytes ? ShareKinds.Authors : ShareKinds.None;
        if (limits.AppBytes.ContainsKey(app)) needed |= ShareKinds.Apps;
        needed &= ~Usage.Counted;
        if (needed == ShareKinds.None) return;

        // The tenant is locked, so what is stored is what was there before this commit.
        var count = await store.CountTenantAsync(Tenant.Account, CancellationToken.None).ConfigureAwait(false);
        foreach (var (share, bytes) in count.Shares)
            if (needed.HasFlag(share.Kind)) _before[share] = bytes;
        _recounted |= needed;
        Usage = Usage with { Counted = Usage.Counted | needed };
    }

    /// <summary>Null if there is room for what a bundle appends.</summary>
    /// <param name="document">The document after the bundle.</param>
    /// <param name="isNew">True if the bundle begins it.</param>
    /// <param name="entries">What the bundle appends.</param>
    public Refusal? Judge(DocumentState document, bool isNew, IReadOnlyList<Appended> entries)
    {
        if (entries.Count == 0) return null;
        var (limits, bytes) = (Tenant.Limits, BytesOf(entries));
        if (Exceeds(limits.StorageBytes, Usage.StoredBytes, bytes))
            return Full(QuotaResource.Storage, limits.StorageBytes, Usage.StoredBytes, "The storage of the account that hosts this document is full.");
        if (isNew && Exceeds(limits.Documents, Usage.Documents, 1))
            return Full(QuotaResource.Documents, limits.Documents, Usage.Documents, "The account hosts as many documents as its plan allows.");
        if (Exceeds(limits.EnvelopesPerDay, Usage.EnvelopesToday, (ulong)entries.Count))
        {
            var full = Full(QuotaResource.EnvelopesPerDay, limits.EnvelopesPerDay, Usage.EnvelopesToday, "The account that hosts this document stores no more envelopes today.");
            return full with { RetryAfter = Usage.UntilMidnight(_micros) };
        }

        return JudgeApp(document.App, bytes) ?? JudgeAuthors(document, entries);
    }

    /// <summary>Takes over what an accepted bundle appends.</summary>
    public void Add(DocumentState document, bool isNew, IReadOnlyList<Appended> entries)
    {
        if (entries.Count == 0) return;
        var bytes = BytesOf(entries);
        Usage = Usage with
        {
            StoredBytes = Usage.StoredBytes + bytes,
            Documents = Usage.Documents + (isNew ? 1UL : 0),
            EnvelopesToday = Usage.EnvelopesToday + (ulong)entries.Count,
        };
        if (document.App.Length > 0) Add(UsageShare.Of(document.App), bytes);
        foreach (var (author, written) in ByAuthor(document, entries)) Add(UsageShare.Of(author), written);
    }

    private Refusal? JudgeApp(string app, ulong bytes)
    {
        if (!Tenant.Limits.AppBytes.TryGetValue(app, out var budget)) return null;
        var used = Used(UsageShare.Of(app));
        return Exceeds(budget, used, bytes) ? Full(QuotaResource.AppStorage, budget, used, "The account's budget for this app is used up.") : null;
    }

    private Refusal? JudgeAuthors(DocumentState document, IReadOnlyList<Appended> entries)
    {
        var limit = Tenant.Limits.AuthorBytes;
        if (!Usage.Counted.HasFlag(ShareKinds.Authors) || limit == 0) return null;
        foreach (var (author, bytes) in ByAuthor(document, entries))
        {
            if (Tenant.Devices.Contains(author)) continue;
            var used = Used(UsageShare.Of(author));
            if (Exceeds(limit, used, bytes)) return Full(QuotaResource.AuthorStorage, limit, used, "One author uses as much of the host's storage as one may.");
        }

        return null;
    }

    private static IEnumerable<(PeerId Author, ulong Bytes)> ByAuthor(DocumentState document, IReadOnlyList<Appended> entries) => entries
        .GroupBy(entry => entry.Envelope.Header.Author)
        .Where(group => group.Key != document.Document.Authority)
        .Select(group => (group.Key, BytesOf(group)));

    private static ulong BytesOf(IEnumerable<Appended> entries) => (ulong)entries.Sum(entry => (long)entry.Envelope.Bytes.Length);

    private static bool Exceeds(ulong limit, ulong used, ulong added) => limit > 0 && (used > limit || added > limit - used);

    private static Refusal Full(QuotaResource resource, ulong limit, ulong used, string message) =>
        new(Reason.QuotaExceeded, message) { Quota = new(resource, limit, used) };

    private ulong Used(UsageShare share) => _before.GetValueOrDefault(share) + _added.GetValueOrDefault(share);

    private void Add(UsageShare share, ulong bytes) => _added[share] = _added.GetValueOrDefault(share) + bytes;

    private Dictionary<UsageShare, ulong> Changed()
    {
        var changed = _added.Keys.Where(share => Usage.Counted.HasFlag(share.Kind)).ToDictionary(share => share, Used);
        foreach (var share in _before.Keys)
            if (_recounted.HasFlag(share.Kind)) changed[share] = Used(share);
        return changed;
    }
}
