using System.Collections.Immutable;
using CloudPeer.Api.Data;
using CloudPeer.Api.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Microsoft.Extensions.Logging;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Tenancy;

/// <summary>Counters of what tenants use are exact, whatever is pushed, refused and deleted; and if one were not, it is found (docs/protocol/sync.md §6.3).</summary>
public sealed class ExactnessTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task After_any_pushes_refusals_and_deletions_by_many_the_counters_are_the_sums_of_the_tables(StoreKind store)
    {
        for (ulong seed = 1; seed <= 2; seed++)
        {
            await using var world = await TenancyWorld.OpenAsync(store, postgres, seed);
            await new Workload(world, [world.Relays.Relay, await world.AnotherAsync()]).RunAsync(rounds: 25);
        }
    }

    [Fact]
    public async Task The_same_in_memory_over_many_histories()
    {
        for (ulong seed = 1; seed <= 4; seed++)
        {
            await using var world = await TenancyWorld.InMemoryAsync(seed);
            await new Workload(world, [world.Relays.Relay, await world.AnotherAsync()]).RunAsync(rounds: 30);
        }
    }

    [Theory, BothStores]
    public async Task A_counter_that_is_wrong_is_found_and_repaired_and_the_relay_goes_on_from_there(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, account) = world.Tenant(new() { StorageBytes = 1 << 20, AppBytes = ImmutableDictionary<string, ulong>.Empty.Add("app_notes", 1 << 20) });
        var (document, untouched) = (await world.Relays.HostedAsync(owner), await world.Relays.HostedAsync(owner));
        await using (var transaction = await world.Store.BeginAsync([document.Id], [], Cancel))
        {
            var (state, usage) = (transaction.Documents[document.Id], transaction.Usage[account]);
            await transaction.CommitAsync(
                GroupCommit.Correction(
                    [state with { StoredBytes = state.StoredBytes + 5 }],
                    [new(account, usage with { Documents = 9, Counted = ShareKinds.Authors }, ShareKinds.Authors, new Dictionary<UsageShare, ulong>())],
                    1),
                Cancel);
        }

        var audit = new UsageAudit(world.Store, world.Clock);
        var found = await audit.RunAsync(repair: false, Cancel);
        Assert.Equal((2, 1), (found.Documents, found.Tenants));
        var bytes = (ulong)document.Envelopes.Sum(envelope => (long)envelope.Bytes.Length);
        Assert.Equal(new UsageDifference(account, document.Id, bytes + 5, bytes, IsRepaired: false), found.Differences[0]);
        Assert.Equal((account, null, false), (found.Differences[1].Tenant, found.Differences[1].Document, found.Differences[1].IsRepaired));
        Assert.Equal(2, found.Differences.Count);
        Assert.All((await audit.RunAsync(repair: true, Cancel)).Differences, difference => Assert.True(difference.IsRepaired));
        await world.AssertExactAsync();
        await world.Relays.AcceptAsync(owner, document, document.NextDelta(owner));
        await world.Relays.AcceptAsync(owner, untouched, untouched.NextDelta(owner));
        await world.AssertExactAsync();
    }

    [Theory, BothStores]
    public async Task What_was_stored_before_there_were_these_counters_is_counted_by_the_script_that_makes_them(StoreKind store)
    {
        await using var world = await TenancyWorld.OpenAsync(store, postgres);
        var (owner, _) = world.Tenant(TenantLimits.None);
        var writer = world.Relays.Device();
        for (var i = 0; i < 2; i++)
        {
            var document = await world.Relays.HostedAsync(owner);
            await world.Relays.AcceptAsync(owner, document, document.NextGrant(owner, writer.Public, Permission.Write));
            await world.Relays.AcceptAsync(writer, document, document.NextDelta(writer, 700), document.NextDelta(owner));
        }

        await world.ExecuteAsync("UPDATE document SET author_bytes = " + (store == StoreKind.Sqlite ? "x''" : "''"), "UPDATE usage SET documents = 0");
        Assert.NotEmpty((await new UsageAudit(world.Store, world.Clock).RunAsync(repair: false, Cancel)).Differences);
        var script = SchemaScripts.Embedded("relay", $"Relay/Store/Scripts/{store}").Scripts[3];
        string[] updates = [.. script.Split(";\n").Where(part => part.Contains("UPDATE ", StringComparison.Ordinal)).Select(part => part[part.IndexOf("UPDATE ", StringComparison.Ordinal)..])];
        Assert.Equal(2, updates.Length);
        await world.ExecuteAsync(updates);
        await world.AssertExactAsync();
    }

    [Fact]
    public async Task Every_night_the_server_counts_and_says_what_differs()
    {
        await using var world = await TenancyWorld.InMemoryAsync(1);
        var (owner, account) = world.Tenant(TenantLimits.None);
        await world.Relays.HostedAsync(owner);
        await using (var transaction = await world.Store.BeginAsync([], [account], Cancel))
            await transaction.CommitAsync(GroupCommit.Correction([], [new(account, TenantUsage.Empty, ShareKinds.None, new Dictionary<UsageShare, ulong>())], 1), Cancel);
        var log = new NumberedLog();
        var clock = new SleepersClock();
        using var check = new UsageCheck(new(world.Store, clock), clock, log);

        await check.StartAsync(Cancel);
        for (var night = 0; night < 2; night++)
        {
            // From noon to three, and then a whole day: not a moment earlier.
            await clock.SomebodySleepsAsync().WaitAsync(Cancel);
            clock.Advance(TimeSpan.FromHours(night == 0 ? 15 : 24) - TimeSpan.FromTicks(1));
            Assert.Empty(log.Numbers);
            var counted = log.NextAsync(1204);
            clock.Advance(TimeSpan.FromTicks(1));
            await counted.WaitAsync(Cancel);
            Assert.Equal([1203, 1204], log.Take());
        }

        await check.StopAsync(Cancel);
    }

    private sealed class NumberedLog : ILogger<UsageCheck>
    {
        private readonly Lock _gate = new();
        private readonly List<int> _numbers = [];
        private (int Number, TaskCompletionSource Seen)? _awaited;

        public IReadOnlyList<int> Numbers
        {
            get
            {
                lock (_gate) return [.. _numbers];
            }
        }

        public Task NextAsync(int number)
        {
            lock (_gate)
            {
                var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited = (number, seen);
                return seen.Task;
            }
        }

        public int[] Take()
        {
            lock (_gate)
            {
                int[] numbers = [.. _numbers];
                _numbers.Clear();
                return numbers;
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_gate)
            {
                _numbers.Add(eventId.Id);
                if (_awaited is { } awaited && awaited.Number == eventId.Id) awaited.Seen.TrySetResult();
            }
        }
    }

    /// <summary>Two tenants with limits that change, three guests, and documents that come, grow, are refused, go and come again, over several relays at once.</summary>
    private sealed class Workload
    {
        private readonly TenancyWorld _world;
        private readonly IReadOnlyList<DocumentRelay> _relays;
        private readonly (SigningKey Device, AccountId Account)[] _tenants;
        private readonly SigningKey[] _guests;
        private readonly List<Hosted> _documents = [];

        public Workload(TenancyWorld world, IReadOnlyList<DocumentRelay> relays)
        {
            _world = world;
            _relays = relays;
            _tenants = [world.Tenant(Limits()), world.Tenant(Limits())];
            _guests = [.. Enumerable.Range(0, 3).Select(_ => world.Relays.Device())];
        }

        public async Task RunAsync(int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                if (_documents.Count < 8) _documents.Add(Begin());
                foreach (var document in _documents) Grow(document);
                await Task.WhenAll(_documents.Select(StepAsync));
                if (Draw(6) == 0) _world.Relays.Tenants.Change(_tenants[Draw(2)].Account, Limits());
                if (Draw(10) == 0) _world.Clock.Advance(TimeSpan.FromHours(9));
                _world.Clock.Advance(TimeSpan.FromMilliseconds(1));
            }

            foreach (var (_, account) in _tenants)
            {
                var own = _documents.Where(document => document.Host == account).ToArray();
                var usage = await _world.Store.FindUsageAsync(account, Cancel);
                Assert.Equal((ulong)own.Sum(document => document.Builder.Envelopes.Take(document.Stored).Sum(envelope => (long)envelope.Bytes.Length)), usage.StoredBytes);
                Assert.Equal((ulong)own.Count(document => document.Stored > 0), usage.Documents);
            }

            await _world.AssertExactAsync();
            Assert.Empty(_world.Relays.Faults);
            Assert.Contains(_documents, document => document.WasDeleted);
            Assert.Contains(_documents, document => document.WasRefused);
        }

        private Hosted Begin()
        {
            var (device, account) = _tenants[Draw(2)];
            var builder = _world.Relays.Document(device);
            builder.NextGrant(device, _world.Relays.Server.Public, Permission.Sync);
            foreach (var guest in _guests) builder.NextGrant(device, guest.Public, Permission.Write);
            return new(builder, device, account, Draw(3) switch { 0 => "app_a", 1 => "app_b", _ => "" });
        }

        private void Grow(Hosted document)
        {
            if (document.Builder.Envelopes.Count - document.Stored > 6) return;
            var author = Draw(2) == 0 ? document.Owner : _guests[Draw(3)];
            document.Builder.NextDelta(author, 50 + Draw(20) * 100);
            document.Act = Draw(12);
            document.Relay = _relays[Draw(_relays.Count)];
        }

        private async Task StepAsync(Hosted document)
        {
            if (document.Act == 0 && document.Stored > 0)
            {
                Assert.True((await document.Relay.DeleteAsync(document.Owner.Public, document.Builder.Id, Cancel)).Succeeded);
                (document.Stored, document.WasDeleted) = (0, true);
                return;
            }

            // From 1: again what is there already, and what is new, together or not at all.
            var first = document.Stored == 0 ? 0 : document.Stored - Math.Min(document.Stored, document.Act % 3);
            var bundle = document.Builder.Envelopes.Skip(first).Select(envelope => envelope.Bytes).ToArray();
            var results = await document.Relay.PushAsync(document.Owner.Public, document.Builder.Id, [bundle], Cancel, app: document.App);
            var result = Assert.Single(results);
            if (result.Succeeded) document.Stored = document.Builder.Envelopes.Count;
            else Assert.True(result.Refusal.Reason is Reason.QuotaExceeded or Reason.Unavailable, result.Refusal.ToString());
            document.WasRefused |= !result.Succeeded;
        }

        private TenantLimits Limits() => new()
        {
            StorageBytes = Draw(3) == 0 ? 0 : (ulong)(4_000 + 4_000 * Draw(10)),
            Documents = Draw(2) == 0 ? 0 : (ulong)(1 + Draw(4)),
            EnvelopesPerDay = Draw(2) == 0 ? 0 : (ulong)(10 + Draw(60)),
            AuthorPercent = 10 * Draw(6),
            AppBytes = Draw(2) == 0 ? ImmutableDictionary<string, ulong>.Empty : ImmutableDictionary<string, ulong>.Empty.Add("app_a", (ulong)(3_000 + 1_000 * Draw(10))),
        };

        private int Draw(int below) => _world.Relays.Entropy.Bytes(1)[0] % below;

        private sealed class Hosted(DocumentBuilder builder, SigningKey owner, AccountId host, string app)
        {
            public DocumentBuilder Builder => builder;

            public SigningKey Owner => owner;

            public AccountId Host => host;

            public string App => app;

            public int Stored { get; set; }

            public int Act { get; set; } = 1;

            public DocumentRelay Relay { get; set; } = null!;

            public bool WasDeleted { get; set; }

            public bool WasRefused { get; set; }
        }
    }
}
