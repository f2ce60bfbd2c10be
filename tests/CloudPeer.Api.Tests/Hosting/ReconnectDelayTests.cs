using CloudPeer.Api.Hosting;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

public sealed class ReconnectDelayTests
{
    [Theory]
    [InlineData(0x00, 200)]
    [InlineData(0xff, 5_000)]
    public void The_delay_has_a_least_and_a_most(byte entropy, int millis) =>
        Assert.Equal(millis, new ReconnectDelay(new Constant(entropy)).Next().TotalMilliseconds, tolerance: 0.001);

    [Fact]
    public void Clients_are_spread_evenly_over_the_time_between()
    {
        const int clients = 1_000, slices = 10;
        var delay = new ReconnectDelay(new SeededEntropy(1));
        var slice = (ReconnectDelay.Longest - ReconnectDelay.Shortest) / slices;

        var counts = Enumerable.Range(0, clients).Select(_ => delay.Next()).CountBy(each => (int)((each - ReconnectDelay.Shortest) / slice));

        Assert.All(counts, count => Assert.InRange(count.Value, clients / slices / 2, clients / slices * 2));
        Assert.Equal(slices, counts.Count());
    }

    private sealed class Constant(byte value) : IEntropy
    {
        public void Fill(Span<byte> destination) => destination.Fill(value);
    }
}
