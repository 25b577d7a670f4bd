// The types of @viz-js/viz name this class of browsers for a call that we never make; the house is compiled without browser types.
type SVGSVGElement = never
