using System.IO.Compression;
using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Server;
using CloudPeer.TestKit;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>Requests that no honest client sends: each is refused with a reason, nothing is logged as an error, and the server goes on.</summary>
public sealed class HostileCallTests(PostgresFixture postgres)
{
    private const string Push = "/cloudpeer.v1.Sync/Push";
    private const string Stream = "/cloudpeer.v1.Sync/Stream";

    [Theory]
    [InlineData(Push)]
    [InlineData(Stream)]
    public async Task A_frame_of_four_mebibytes_is_read_and_one_byte_more_is_not(string method)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);

        Assert.NotEqual(Reason.TooLarge, await raw.ReasonAsync(method, RawCall.Frame(Padded(ServerLimits.FrameBytes))));
        Assert.Equal(Reason.TooLarge, await raw.ReasonAsync(method, RawCall.Frame(Padded(ServerLimits.FrameBytes + 1))));
        await WorksAsync(alice);
    }

    [Theory]
    [InlineData(Push)]
    [InlineData(Stream)]
    public async Task A_length_without_its_bytes_reserves_nothing(string method)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);

        Assert.Equal(Reason.TooLarge, await raw.ReasonAsync(method, RawCall.Frame([1, 2, 3], declared: int.MaxValue)));
        Assert.Equal(Reason.Malformed, await raw.ReasonAsync(method, RawCall.Frame([1, 2, 3], declared: 4)));
        Assert.Equal(Reason.Malformed, await raw.ReasonAsync(method, [0, 0]));
        await WorksAsync(alice);
    }

    [Theory]
    [InlineData(Push)]
    [InlineData(Stream)]
    public async Task A_compressed_message_is_refused_before_it_is_opened(string method)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);
        var bomb = Compress(new byte[ServerLimits.FrameBytes * 8]);
        Assert.True(bomb.Length < ServerLimits.FrameBytes);

        Assert.Equal(Reason.Unsupported, await raw.ReasonAsync(method, RawCall.Frame(bomb, compressed: true), ("grpc-encoding", "gzip")));
        Assert.Equal(Reason.Unsupported, await raw.ReasonAsync(method, RawCall.Frame(bomb, compressed: true), ("grpc-encoding", "no-such")));
        Assert.NotNull(await raw.ReasonAsync(method, RawCall.Frame(bomb, compressed: true)));
        await WorksAsync(alice);
    }

    [Theory]
    [InlineData(Push)]
    [InlineData(Stream)]
    [InlineData("/cloudpeer.v1.Discovery/GetServer")]
    public async Task Bytes_that_are_no_protobuf_are_malformed(string method)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);
        // A field without a value, a length past the end, a group that does not end, a number that does not end.
        byte[][] cases = [[0x0A], [0x0A, 0x7F, 0x00], [0x0B], [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], Nested()];

        foreach (var bytes in cases) Assert.Equal(Reason.Malformed, await raw.ReasonAsync(method, RawCall.Frame(bytes)));
        await WorksAsync(alice);
    }

    [Fact]
    public async Task What_a_newer_client_says_besides_is_ignored()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);
        // Field 1000, a text; it is in no message.
        byte[] unknown = [0xC2, 0x3E, 0x02, 0x68, 0x69];

        Assert.Null(await raw.ReasonAsync("/cloudpeer.v1.Account/GetEntitlement", RawCall.Frame(unknown)));
        Assert.Null(await raw.ReasonAsync(Stream, RawCall.Frame(unknown)));
    }

    [Theory]
    [InlineData(Push)]
    [InlineData("/cloudpeer.v1.Account/GetEntitlement")]
    public async Task A_unary_call_with_no_message_or_two_is_malformed(string method)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var alice = await TestDevice.RegisterAsync(server);
        using var raw = new RawCall(server, alice);

        Assert.Equal(Reason.Malformed, await raw.ReasonAsync(method, []));
        Assert.Equal(Reason.Malformed, await raw.ReasonAsync(method, [.. RawCall.Frame([]), .. RawCall.Frame([])]));
        await WorksAsync(alice);
    }

    [Fact]
    public async Task Who_goes_on_sending_what_cannot_be_read_loses_the_connection()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"));
        using var alice = await TestDevice.ConnectAsync(server);
        using var raw = new RawCall(server, alice);
        // Opening the session was two calls.
        for (var i = 2; i < CallLimiter.BurstSeconds; i++) Assert.Equal(Reason.Malformed, await raw.ReasonAsync(Push, RawCall.Frame([0x0A])));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => raw.ReasonAsync(Push, RawCall.Frame([0x0A])));
    }

    // Field 1000, which is in no message, with a length of four bytes.
    private static byte[] Padded(int bytes) => [0xC2, 0x3E, .. Varint(bytes - 6), .. new byte[bytes - 6]];

    private static byte[] Varint(int number) =>
        [(byte)((number & 0x7F) | 0x80), (byte)(((number >> 7) & 0x7F) | 0x80), (byte)(((number >> 14) & 0x7F) | 0x80), (byte)(number >> 21)];

    // Groups within groups, deeper than any parser follows.
    private static byte[] Nested() => [.. Enumerable.Repeat((byte)0x0B, 100_000)];

    private static byte[] Compress(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(bytes);
        return output.ToArray();
    }

    private static async Task WorksAsync(TestDevice device) => await device.Accounts.GetEntitlementAsync(new(), device.Options);
}
