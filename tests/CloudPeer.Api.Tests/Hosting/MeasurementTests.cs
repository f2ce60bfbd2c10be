using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.RegularExpressions;
using CloudPeer.Api.Tests.Client;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Tlfs.Core.Crypto;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>Metrics and traces (docs/operations/metrics.md).</summary>
public sealed partial class MeasurementTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // In a process of its own: instruments are found by name, and this process has many servers.
    [Theory, BothStores]
    public async Task Prometheus_reads_what_was_done_on_a_port_that_answers_nothing_else_and_no_id_is_in_it(StoreKind store)
    {
        var port = FreePort.Next();
        using var folder = new TempFolder("measured");
        var database = store == StoreKind.Postgres ? await postgres.CreateDatabaseAsync(Cancel) : null;
        await using var server = await ServerNode.StartAsync(folder.File("data"), database, ("METRICS_PORT", ClientServer.Text(port)));
        using var alice = SigningKey.Generate(SystemEntropy.Instance);
        using var kem = KemKey.Generate(SystemEntropy.Instance);
        await using var connection = new CloudpeerConnection(server.GrpcUrl, server.Peer, alice, SystemEntropy.Instance, TimeProvider.System);
        await connection.CreateAccountAsync(TestDevice.MakeCard(SystemEntropy.Instance, alice, kem, 1), null, Cancel);
        var document = new DocumentBuilder(SystemEntropy.Instance, alice);
        Assert.Null(await PushAsync(connection, document, document.Genesis, document.NextGrant(alice, server.Peer, Permission.Sync)));
        Assert.NotNull(await PushAsync(connection, document, DocumentBuilder.WithBadSignature(document.NextDelta(alice))));
        await using var stream = await connection.StreamAsync(Cancel);
        await using var events = stream.Events.GetAsyncEnumerator(Cancel);
        await stream.SubscribeAsync(document.Id, 0, omitOwn: false, Cancel);
        Assert.True(await events.MoveNextAsync());

        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel);

        Assert.Equal("1", Value(text, "cloudpeer_push_bundles_total", "outcome=\"stored\""));
        Assert.Equal("1", Value(text, "cloudpeer_push_bundles_total", "outcome=\"bad-signature\""));
        Assert.Equal("2", Value(text, "cloudpeer_push_duration_seconds_count", string.Empty));
        Assert.Equal("1", Value(text, "cloudpeer_streams", string.Empty));
        Assert.Equal(document.Envelopes.Take(2).Sum(envelope => envelope.Bytes.Length), int.Parse(Value(text, "cloudpeer_stored_bytes_total", "state=\"active\"")!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.NotNull(Value(text, "cloudpeer_commit_duration_seconds_count", string.Empty));
        Assert.Contains("http_server_request_duration_seconds", text, StringComparison.Ordinal);
        foreach (var id in new[] { document.Id.ToString(), alice.Public.ToString(), server.Peer.ToString() }) Assert.DoesNotContain(id, text, StringComparison.OrdinalIgnoreCase);

        server.AssertNoErrors();
        foreach (var other in new[] { new Uri(http.BaseAddress, "/"), new Uri(http.BaseAddress, "/health/ready"), new Uri(server.HttpUrl + "/metrics") })
        {
            using var answer = await http.GetAsync(other, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task The_page_lists_every_instrument_with_its_unit_and_description()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        var meter = server.Services.GetRequiredService<Meter>();
        var known = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var listener = new MeterListener { InstrumentPublished = (instrument, _) => Note(instrument) }) listener.Start();

        var page = await File.ReadAllTextAsync(RepositoryRoot.PathOf("docs", "operations", "metrics.md"), Cancel);
        var rows = Row().Matches(page).Select(row => $"{row.Groups["name"].Value} {row.Groups["unit"].Value} {row.Groups["what"].Value}");
        Assert.Equal(known.Select(each => $"{each.Key} {each.Value}"), rows.Order(StringComparer.Ordinal), StringComparer.Ordinal);

        void Note(Instrument instrument)
        {
            if (ReferenceEquals(instrument.Meter, meter)) known.Add(instrument.Name, $"{instrument.Unit} {instrument.Description}");
        }
    }

    [Fact]
    public async Task A_trace_leads_from_the_client_over_its_push_to_the_commit()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is RelayMetrics.Name or "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        var document = new DocumentBuilder(SystemEntropy.Instance, alice.Key);
        using var client = new Activity("client");
        client.SetIdFormat(ActivityIdFormat.W3C).Start();
        var trace = client.TraceId;
        Assert.Null(Assert.Single((await alice.Sync.PushAsync(SyncTests.Request(document.Id, [document.Genesis]), alice.Options)).Results).Refusal);
        client.Stop();

        // The commit has answered before its span ends.
        await server.DisposeAsync();
        var push = Assert.Single(spans, span => span.TraceId == trace && span.OperationName is "push");
        Assert.Contains(spans, span => span.SpanId == push.ParentSpanId && span.Source.Name is "Microsoft.AspNetCore");
        Assert.Single(spans, span => span.OperationName is "commit" && span.Links.Any(link => link.Context.SpanId == push.SpanId));
    }

    private static async Task<Refusal?> PushAsync(CloudpeerConnection connection, DocumentBuilder document, params Envelope[] bundle) =>
        Assert.Single(await connection.PushAsync(document.Id, [bundle], Cancel)).Refusal;

    private static string? Value(string text, string name, string label) => text.Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
        .Select(line => line.Split(' ')[1]).FirstOrDefault();

    [GeneratedRegex(@"^\| `(?<name>cloudpeer\.[a-z.]+)` \| [a-z]+, (?<unit>\S+) \| [^|]*\| (?<what>[^|]+) \|$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Row();
}
