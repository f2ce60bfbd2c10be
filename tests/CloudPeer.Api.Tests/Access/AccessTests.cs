using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Access;

/// <summary>Every call of every service, made by everybody, answers as docs/protocol/access.md says.</summary>
public sealed class AccessTests(PostgresFixture postgres)
{
    private static readonly string[][] Table =
    [
        .. File.ReadLines(RepositoryRoot.PathOf("docs", "protocol", "access.md")).Where(line => line.StartsWith('|') && !line.StartsWith("| ---", StringComparison.Ordinal))
            .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries).Select(cell => cell.Trim('`')).ToArray()),
    ];

    private static readonly string[] Roles = Table[0][1..];

    private static readonly Dictionary<string, string[]> Rows = Table[1..].ToDictionary(cells => cells[0], cells => cells[1..], StringComparer.Ordinal);

    [Fact]
    public void Every_call_of_every_service_has_a_row_and_every_row_is_made() =>
        Assert.Multiple(
            () => Assert.Equal(Declared().Order(StringComparer.Ordinal), Rows.Keys.Select(CallOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)),
            () => Assert.Equal(Rows.Keys.Order(StringComparer.Ordinal), Calls.All.Keys.Order(StringComparer.Ordinal)));

    [Theory, BothStores]
    public async Task Everybody_is_answered_as_the_table_says(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        var wrong = new List<string>();
        foreach (var (row, expected) in Rows)
        {
            using var scene = await Scene.MakeAsync(server);
            Assert.Equal(Roles.Order(StringComparer.Ordinal), scene.Actors.Keys.Order(StringComparer.Ordinal));
            // The owner comes last: what it does may leave nothing for the others to ask about.
            foreach (var (role, answer) in Roles.Zip(expected).Reverse())
            {
                var actual = await AnswerAsync(() => Calls.All[row](scene, scene.Actors[role]));
                if (!string.Equals(actual, answer, StringComparison.Ordinal)) wrong.Add($"{row} by {role}: {actual}, and not {answer}");
            }
        }

        Assert.Empty(wrong);
    }

    private static string CallOf(string row) => row.Split(' ', ',')[0];

    private static HashSet<string> Declared() =>
    [
        .. typeof(V1.Sync).Assembly.GetTypes().Where(type => string.Equals(type.Namespace, typeof(V1.Sync).Namespace, StringComparison.Ordinal) && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => (FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!)
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).Select(method => $"{method.Service.Name}.{method.Name}"),
    ];

    private static async Task<string> AnswerAsync(Func<Task<V1.Refusal?>> call)
    {
        try
        {
            return await call() is { } refusal ? WireRefusal.Read(refusal).Reason.ToKebab() : "ok";
        }
        catch (RpcException e)
        {
            return Refusals.FromRpc(e).Reason.ToKebab();
        }
    }
}
