using CloudPeer.Sync.Log;
using CloudPeer.Sync.Sessions;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>One try to commit a batch: locks, decides, signs, writes, publishes, answers.</summary>
internal sealed class CommitAttempt(CommitContext context, IReadOnlyList<PendingBundle> batch)
{
    private readonly Dictionary<DocId, WorkingDocument> _documents = [];
    private readonly Dictionary<AccountId, TenantInfo?> _tenants = [];
    private readonly Dictionary<AccountId, TenantLedger> _ledgers = [];
    private readonly HashSet<AccountId> _locked = [];
    private readonly EvaluationBudget _budget = new(context.Limits.CommitSteps);
    private readonly List<Appended> _entries = [];
    private readonly List<(PendingBundle Bundle, IReadOnlyList<ulong> Places)> _accepted = [];
    private readonly List<(PendingBundle Bundle, Refusal Refusal)> _refused = [];
    private IReadOnlyList<UsageShare>? _touched;
    private long _asOf;
    private ulong _micros;

    /// <summary>False if another process got in between: nothing has happened, and a new attempt is due.</summary>
    public async Task<bool> RunAsync()
    {
        ReceiptBatch? receipts;
        _asOf = context.Cache.Told;
        var transaction = await BeginAsync().ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await LoadAsync(transaction).ConfigureAwait(false);
            _micros = _documents.Values.Aggregate(context.Time.Micros(), (micros, document) => Math.Max(micros, document.NotBefore));
            foreach (var bundle in batch) await JudgeAsync(bundle, transaction).ConfigureAwait(false);
            var commit = Sign(out receipts);
            // The rows are locked: what others told until now, they had committed before.
            _asOf = context.Cache.Told;
            if (commit is not null && !await transaction.CommitAsync(commit, CancellationToken.None).ConfigureAwait(false)) return false;
        }

        Publish();
        Answer(receipts);
        return true;
    }

    private Task<IRelayTransaction> BeginAsync()
    {
        foreach (var tenant in batch.Select(bundle => bundle.HostTenant).OfType<TenantInfo>()) _tenants[tenant.Account] = tenant;
        return context.Store.BeginAsync(batch.Select(bundle => bundle.Document).ToHashSet(), _tenants.Keys, CancellationToken.None);
    }

    private async Task LoadAsync(IRelayTransaction transaction)
    {
        _locked.UnionWith(_tenants.Keys.Concat(transaction.Documents.Values.Select(state => state.Host)));
        foreach (var document in batch.Select(bundle => bundle.Document).Distinct())
        {
            CachedDocument? cached = null;
            if (transaction.Documents.TryGetValue(document, out var state))
            {
                // A log that is shorter than remembered was restored from a copy, or it is another one.
                if (context.Cache.Find(document)?.State is { } known && (known.IsOtherLogThan(state) || known.Size > state.Size)) context.Cache.Forget(document);
                cached = await context.Cache.CurrentAsync(state, _asOf, CancellationToken.None).ConfigureAwait(false);

                // Of one size, but the row may have had a counter repaired.
                if (!ReferenceEquals(cached.State, state)) cached = cached with { State = state };
            }
            else
            {
                context.Cache.Forget(document);
            }

            _documents.Add(document, new(document, cached, transaction.Deleted.GetValueOrDefault(document), context.Limits));
        }
    }

    private async Task JudgeAsync(PendingBundle bundle, IRelayTransaction transaction)
    {
        var document = _documents[bundle.Document];
        await LookUpAsync(bundle, document).ConfigureAwait(false);
        var account = document.State?.Host ?? bundle.PusherTenant?.Account;
        if (account is { } charged && !_locked.Contains(charged))
        {
            _refused.Add((bundle, new(Reason.Unavailable, "The document has changed its host meanwhile; try again.")));
            return;
        }

        var host = await LedgerAsync(account, transaction).ConfigureAwait(false);
        if (host is not null) await host.CountAsync(context.Store, bundle, document.State?.App ?? bundle.App).ConfigureAwait(false);
        var judge = new BundleJudge(context.Server.Public, document, bundle, host, _budget);
        if ((judge.Judge() ?? JudgePurge(document)) is { } refusal)
        {
            _refused.Add((bundle, bundle.IsOvertaken(document) ? Overtaken : refusal));
            return;
        }

        host!.Add(judge.After.State, judge.IsNew, judge.Entries);
        document.Adopt(judge);
        _entries.AddRange(judge.Entries);
        _accepted.Add((bundle, judge.Places));
    }

    private async Task LookUpAsync(PendingBundle bundle, WorkingDocument document)
    {
        if (document.State is not { } state)
        {
            // When it was looked for before, there may have been a document, which was deleted since.
            bundle.PusherTenant ??= await context.Tenants.FindByDeviceAsync(bundle.Pusher, CancellationToken.None).ConfigureAwait(false);
            bundle.ForgetLookups();
            return;
        }

        if (bundle.LookedUpIn is { } generation && generation != state.Generation) bundle.ForgetLookups();
        // Only what was appended since the push was looked at can be found now, so the way is short.
        await BundleLookup.FindRepeatedAsync(new(context.Store), bundle.Envelopes, state, document.Find, CancellationToken.None).ConfigureAwait(false);
        if (document.Policy.View.HasForks) document.Surviving.UnionWith(bundle.Surviving(document.Policy.View));
    }

    private static Refusal Overtaken => new(Reason.Unavailable, "What is known of an author of it has changed meanwhile; try again.");

    // The entries of the log that was deleted lie where those of the new one would.
    private static Refusal? JudgePurge(WorkingDocument document) => document is { State: null, Deleted.IsPurged: false }
        ? new(Reason.Unavailable, "The document was deleted here, and its old log is still being removed.") { RetryAfter = TimeSpan.FromSeconds(1) }
        : null;

    private async ValueTask<TenantLedger?> LedgerAsync(AccountId? account, IRelayTransaction transaction)
    {
        if (await HostAsync(account).ConfigureAwait(false) is not { } tenant) return null;
        if (_ledgers.TryGetValue(tenant.Account, out var ledger)) return ledger;
        ledger = new(tenant, transaction.Usage.GetValueOrDefault(tenant.Account), _micros);
        await ledger.LoadAsync(transaction, _touched ??= [.. Touched().Distinct()]).ConfigureAwait(false);
        _ledgers.Add(tenant.Account, ledger);
        return ledger;
    }

    // Whoever may be charged by this commit, at whatever tenant.
    private IEnumerable<UsageShare> Touched() => batch
        .SelectMany(bundle => bundle.Envelopes).Select(pending => UsageShare.Of(pending.Header.Author))
        .Concat(batch.Select(bundle => UsageShare.Of(_documents[bundle.Document].State?.App ?? bundle.App)));

    private async ValueTask<TenantInfo?> HostAsync(AccountId? account)
    {
        if (account is not { } id) return null;
        if (!_tenants.TryGetValue(id, out var tenant))
            _tenants.Add(id, tenant = await context.Tenants.FindAsync(id, CancellationToken.None).ConfigureAwait(false));
        return tenant;
    }

    private GroupCommit? Sign(out ReceiptBatch? receipts)
    {
        receipts = null;
        if (_entries.Count == 0)
        {
            // What was counted anew is kept, or the next bundle that is refused would count it again.
            UsageChange[] counted = [.. _ledgers.Values.Where(ledger => ledger.HasRecounted).Select(ledger => ledger.Change)];
            return counted.Length == 0 ? null : GroupCommit.Correction([], counted, _micros);
        }

        var charged = _entries.Select(entry => _documents[entry.Envelope.Header.Document].State!.Host).ToHashSet();
        receipts = ReceiptBatch.Sign(context.Server, [.. _entries.Select(entry => Leaf(entry, _micros))]);
        return new(
            [.. _entries.Select((entry, position) => new NewEntry(entry.Envelope, entry.Index, entry.AuthorPreviousIndex, entry.Root, position))],
            [.. _documents.Values.Where(document => document.HasGrown).Select(document => document.State!)],
            [.. _ledgers.Values.Where(ledger => ledger.HasRecounted || charged.Contains(ledger.Tenant.Account)).Select(ledger => ledger.Change)],
            _micros,
            receipts.Hashes,
            receipts.Signature);
    }

    private static ReceiptLeaf Leaf(Appended entry, ulong micros) =>
        new(entry.Envelope.Header.Document, entry.Envelope.Id, entry.Index, entry.Index + 1, entry.Root, micros);

    // The caches before the answers, so that whoever has a receipt finds its envelope.
    private void Publish()
    {
        context.Metrics.Stored(_entries.Select(entry => (_ledgers[_documents[entry.Envelope.Header.Document].State!.Host].Tenant.State, entry.Envelope.Bytes.Length)));
        foreach (var document in _documents.Values.Where(document => document.HasGrown)) context.Cache.Put(document.Publish(_asOf));
        // Also where all of it was there: of a commit before nobody may have been told, because its outcome was not known.
        foreach (var id in _accepted.Select(accepted => accepted.Bundle.Document).Distinct()) context.Signals.Pulse(id);
    }

    private void Answer(ReceiptBatch? receipts)
    {
        var fresh = new Dictionary<(DocId, ulong), Receipt>();
        for (var i = 0; i < _entries.Count; i++) fresh.Add((_entries[i].Envelope.Header.Document, _entries[i].Index), receipts![i]);
        foreach (var (bundle, refusal) in _refused) bundle.Refuse(refusal);
        foreach (var (bundle, places) in _accepted)
        {
            var answer = new Receipt?[places.Count];
            for (var i = 0; i < answer.Length; i++) answer[i] = fresh.GetValueOrDefault((bundle.Document, places[i]));
            if (Array.IndexOf(answer, null) < 0) bundle.Accept(answer!);
            else context.Receipts.Enqueue(new(bundle, places, answer));
        }
    }
}
